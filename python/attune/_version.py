"""The package's version, which is that of the attune command that it belongs to."""

__version__ = "0.3.0"
