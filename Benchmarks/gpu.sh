#!/usr/bin/env bash
# Everything about devices with one command, on a machine with Swift, this repository and a Python that has PyTorch (2.10 or
# newer), diffusers, transformers and PEFT: what is there, the goldens, a generation and a run that is killed and resumed, and
# the speed beside diffusers and PEFT on the same wheel.
#   PEER_PYTHON=/path/to/python Benchmarks/gpu.sh [cuda|torch-cpu] [--quick]      cuda is the default
#   BENCH_DIR=…    as in engine.sh
# Prints a report that can be sent; stops at the first thing that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
device=cuda quick=
for word in "$@"; do
    case $word in
        cuda | torch-cpu) device=$word ;;
        --quick) quick=1 ;;
        *) echo "usage: Benchmarks/gpu.sh [cuda|torch-cpu] [--quick]" >&2; exit 64 ;;
    esac
done
python=${PEER_PYTHON:?set PEER_PYTHON to a python that has torch, diffusers, transformers and peft}
ATTUNE_TORCH=$("$python" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])")
export ATTUNE_TORCH PEER_PYTHON
unset OPENBLAS_CORETYPE
attune=$PWD/.build/release/attune
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step() { echo; echo "## $*"; }

step "build"
swift build -c release --product attune >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; }
swift build -c release --product attune-bench >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; }
$attune doctor
if [ "$device" = cuda ]; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv || true; fi

step "goldens: ops, networks, samplers, generations, traces, DoRA steps, resume"
export ATTUNE_TEST_TARGETS=TensorsTests,DiffusionTests,TuningTests ATTUNE_TEST_DEVICE=$device
swift build -c release --build-tests >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; }
swift test -c release --skip-build 2>&1 | tee "$work/tests" | grep -E "failed|error:" | head -40 || true
tail -2 "$work/tests"
grep -q "Test run with .* passed" "$work/tests"
unset ATTUNE_TEST_TARGETS ATTUNE_TEST_DEVICE

step "a generation, a run, and the same run killed and resumed"
corpus=$work/corpus
$attune init --corpus "$corpus"
$attune generate --corpus "$corpus" --model datasets/tiny-sd --prompts Benchmarks/prompts.txt --images-per-prompt 4 \
    --steps 25 --guidance 5 --device "$device"
$attune query --corpus "$corpus" "engine LIKE '$device%'" --by mi --top 3 --columns prompt,seed,mi,engine
$attune select --corpus "$corpus" best --by mi --top 2 --per prompt
train() { # RUN STEPS
    $attune train --corpus "$corpus" best --model datasets/tiny-sd --run "$1" --steps "$2" --batch 4 --accumulate 2 \
        --checkpoint-every 2 --device "$device"
}
train whole 8
train killed 8 >/dev/null 2>&1 & pid=$!
while ! ls "$corpus"/runs/killed/checkpoints/*.safetensors >/dev/null 2>&1 && kill -0 $pid 2>/dev/null; do sleep 0.05; done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
train killed 8
cmp "$corpus"/runs/{whole,killed}/adapter/pytorch_lora_weights.safetensors && echo "the resumed run's adapter is the same, byte for byte"

step "speed beside diffusers and PEFT on the same wheel"
# tf32 is CUDA's alone, and float16 too slow on processors to be measured.
precisions="float32 bfloat16"
[ "$device" != cuda ] || precisions="float32 tf32 bfloat16 float16"
exec "$python" Benchmarks/engine.py ${quick:+--quick} --device "$device" --precision $precisions \
    $([ -n "$quick" ] && echo "--only sd21")
