"""`python -m attune`: generate, query and info from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .errors import AttuneError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; the exit status is 0, or 1 with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m attune", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    generate = commands.add_parser(
        "generate", help="candidates with diffusers, written for `attune import --format shard`")
    generate.add_argument("--model", required=True, help="a model's folder in the diffusers layout")
    generate.add_argument("--prompts", required=True, help="a file of prompts, one per line")
    generate.add_argument("--to", required=True, help="the folder that batches are written to")
    generate.add_argument("--corpus", help="a corpus whose samples are not made again")
    generate.add_argument("--images-per-prompt", type=int, default=50)
    generate.add_argument("--steps", type=int, default=100)
    generate.add_argument("--guidance", type=float, default=7.5)
    generate.add_argument("--sampler", help="ddpm, ddim, pndm, euler (default: the model's own scheduler)")
    generate.add_argument("--seed", type=int, default=42, help="of each prompt's first candidate")
    generate.add_argument("--batch", type=int, default=16, help="images that are made together")
    generate.add_argument("--samples-per-file", type=int, default=256)
    generate.add_argument("--tag", help="a name for what is made, for queries")
    generate.add_argument("--part", help="i/n: one of n processes or GPUs, counted from 1")
    generate.add_argument("--device", help="cuda, cuda:1, mps or cpu (default: the best there is)")
    generate.add_argument("--dtype", default="float32", choices=["float32", "float16", "bfloat16"])
    generate.add_argument("--width", type=int)
    generate.add_argument("--height", type=int)
    options = vars(parser.parse_args(arguments))
    options.pop("command")
    try:
        from .generation import generate as run
        from .generation import show_progress

        outcome = run(progress=show_progress, **options)
    except AttuneError as error:
        print(f"attune: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nattune: stopped; what was made is written, the same command makes the rest", file=sys.stderr)
        return 130
    print(f"{outcome.made} images made, {outcome.skipped} already present")
    return 0


if __name__ == "__main__":
    sys.exit(main())
