"""The package as users install it."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import REPOSITORY

import attune


def run(*arguments, **options):
    outcome = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, **options)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


@pytest.fixture
def source(tmp_path):
    shutil.copytree(
        REPOSITORY / "python", tmp_path / "python", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info", ".*"))
    return tmp_path / "python"


def test_the_wheel_has_everything(source, tmp_path):
    setuptools = pytest.importorskip("setuptools")
    if tuple(int(n) for n in setuptools.__version__.split(".")[:2]) < (70, 1):
        pytest.importorskip("wheel")
    script = "import setuptools.build_meta as b; print(b.build_wheel(%r))" % str(tmp_path)
    name = run(sys.executable, "-c", script, cwd=source).split()[-1]
    assert name == f"attune-{attune.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name) as wheel:
        names = set(wheel.namelist())
        wheel.extractall(tmp_path / "site")
    modules = {f"attune/{p.name}" for p in (REPOSITORY / "python" / "attune").glob("*.py")}
    assert modules | {"attune/py.typed"} <= names
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    said = run(
        sys.executable, "-c", "import attune, sys; print(attune.__version__, attune.__file__, 'torch' in sys.modules)",
        env=dict(clean, PYTHONPATH=str(tmp_path / "site")), cwd=tmp_path)
    assert said.split() == [attune.__version__, str(tmp_path / "site" / "attune" / "__init__.py"), "False"]


@pytest.mark.skipif("ATTUNE_LONG" not in os.environ, reason="downloads numpy and h5py: ATTUNE_LONG=1")
def test_a_clean_environment(source, tmp_path, made):
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", source)
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    script = "import attune, sys; print(len(attune.open(sys.argv[1]).dataset('best', ['latent', 'trace']).__getitems__(range(12))))"
    assert run(python, "-c", script, made, env=clean, cwd=tmp_path).strip() == "12"
    # What is missing says so.
    script = "import attune, sys; attune.open(sys.argv[1]).dataset('best', ['image'])[0]"
    outcome = subprocess.run([python, "-c", script, made], env=clean, cwd=tmp_path, capture_output=True, text=True)
    assert "pillow: is needed to decode images: pip install pillow, or attune[images]" in outcome.stderr
