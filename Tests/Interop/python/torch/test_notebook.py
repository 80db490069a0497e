"""The notebook of examples/, run from beginning to end."""

import sys

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("peft")
pytest.importorskip("matplotlib")
from conftest import ATTUNE, REPOSITORY  # noqa: E402

import attune  # noqa: E402


def test_the_notebook_runs(copy, monkeypatch, tmp_path):
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

    # The kernel is this very Python, whatever kernels a user has installed.
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        '{"argv": ["%s", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "x", "language": "python"}'
        % sys.executable)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("ATTUNE_CORPUS", str(copy))
    monkeypatch.setenv("ATTUNE_COMMAND", str(ATTUNE))
    monkeypatch.setenv("MPLBACKEND", "agg")
    assert KernelSpecManager().find_kernel_specs()
    notebook = nbformat.read(REPOSITORY / "examples" / "train_from_corpus.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(REPOSITORY / "examples")}}
    ).execute()
    text = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    assert "the same losses" in text and "scored by hardness, revision 1" in text
    rows = attune.open(copy).query("hardness IS NOT NULL AND pixel_std IS NOT NULL")
    assert len(rows) == 12
