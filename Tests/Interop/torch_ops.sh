#!/usr/bin/env bash
# The engine's goldens and gradients on PyTorch's kernels for processors, and again with the ops that CUDA takes.
#   PEER_PYTHON=/path/to/python Tests/Interop/torch_ops.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PEER_PYTHON:?set PEER_PYTHON to a python that has torch 2.10 or newer}
ATTUNE_TORCH=$("$python" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])")
export ATTUNE_TORCH
for suites in 'TensorsTests|DiffusionTests|TuningTests' GenerationJobTests; do
    swift test -c release --skip-build --filter "$suites"
done
ATTUNE_TORCH_OPS=cuda swift test -c release --skip-build \
    --filter 'GradientTests|TorchTests|PrecisionTests|ForwardTests|GenerationTests|DoRAGoldenTests|LossGoldenTests|AllWeightsTests|DevicesTests'
