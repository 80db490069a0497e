#!/usr/bin/env bash
# The engine's table: engine.py with the peers' Python, which is made where PEER_PYTHON does not name one.
#   Benchmarks/engine.sh [--quick] [--only sd21|sdxl|vae|tiny] [--runs N] [--latents 64 128] [--passes forward train]
#                        [--precision float32 bfloat16] [--device cpu torch-cpu cuda]; OpenVINO is a peer too where PEER_PYTHON has it
#   BENCH_DIR=…    where full-size random models are kept (~/.cache/attune-bench; SD-2.1 3.5 GB, SDXL 10 GB)
set -euo pipefail
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE
source Benchmarks/peers/venv.sh
PEER_PYTHON=${PEER_PYTHON:-$(peer_python venv torch diffusers transformers peft safetensors pillow numpy)}
export PEER_PYTHON
exec "$PEER_PYTHON" Benchmarks/engine.py "$@"
