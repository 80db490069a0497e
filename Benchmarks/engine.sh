#!/usr/bin/env bash
# The engine's table: engine.py with the peers' Python, which is made where PEER_PYTHON does not name one.
#   Benchmarks/engine.sh [--quick] [--only sd21|sdxl|vae|tiny] [--runs N] [--latents 64 128] [--passes forward train]
#   BENCH_DIR=…    where full-size random models are kept (~/.cache/attune-bench; SD-2.1 3.5 GB, SDXL 10 GB)
set -euo pipefail
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE
export BENCH_DIR=${BENCH_DIR:-$HOME/.cache/attune-bench}
if [ -z "${PEER_PYTHON:-}" ]; then
    PEER_PYTHON=$BENCH_DIR/venv/bin/python
    if [ ! -e "$BENCH_DIR/venv/complete" ]; then
        echo "making a virtual environment with PyTorch in $BENCH_DIR/venv" >&2
        python3 -m venv "$BENCH_DIR/venv"
        # PyTorch's own index has a build without CUDA, a tenth as large; where it is out of reach, PyPI's does too.
        "$PEER_PYTHON" -m pip install --quiet --retries 0 --index-url https://download.pytorch.org/whl/cpu torch ||
            "$PEER_PYTHON" -m pip install --quiet torch
        "$PEER_PYTHON" -m pip install --quiet diffusers transformers peft safetensors pillow numpy
        touch "$BENCH_DIR/venv/complete"
    fi
fi
export PEER_PYTHON
exec "$PEER_PYTHON" Benchmarks/engine.py "$@"
