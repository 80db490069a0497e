#!/usr/bin/env bash
# Attune against diffusers + PEFT: 16 candidates x 4 prompts x 50 steps with MI, then 20 DoRA steps of batch 8.
# Both run in turn, ROUNDS times (3), and medians are compared. Attune's times are of whole commands, model loading
# included; the peer's leave loading out. The row `steps` compares like with like: 20 further steps, a command of 40
# less a command of 20.
#   PEER_PYTHON=/path/to/python Benchmarks/pipeline.sh     python with torch, diffusers, transformers, peft
#   PEER_PYTHON=... Benchmarks/pipeline.sh --train         the DoRA steps alone
# The peer computes in float32 throughout; `bfloat16` is Attune's generation with --precision bfloat16 beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
source Benchmarks/median.sh
unset OPENBLAS_CORETYPE
rounds=${ROUNDS:-3}
python=${PEER_PYTHON:?set PEER_PYTHON to a python that has torch, diffusers, transformers and peft}
attune=.build/release/attune
stages="generate bfloat16 train steps" sampling=50
if [ "${1:-}" = --train ]; then stages="train steps" sampling=2; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timed() { # NAME COMMAND...: appends the command's wall-clock seconds to NAME's list
    local name=$1 begin end
    shift
    begin=$(date +%s.%N)
    "$@" >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    end=$(date +%s.%N)
    echo "$end $begin" | awk '{ printf "%.3f\n", $1 - $2 }' | tee -a "$work/$name"
}

for round in $(seq "$rounds"); do
    corpus=$work/corpus-$round
    $attune init --corpus "$corpus" >/dev/null
    echo "round $round: attune generate, train"
    timed attune-generate $attune generate --corpus "$corpus" --model datasets/tiny-sd --prompts Benchmarks/prompts.txt \
        --images-per-prompt 16 --steps "$sampling" --guidance 5
    if [[ $stages == *bfloat16* ]]; then
        $attune init --corpus "$corpus-bfloat16" >/dev/null
        timed attune-bfloat16 $attune generate --corpus "$corpus-bfloat16" --model datasets/tiny-sd --prompts Benchmarks/prompts.txt \
            --images-per-prompt 16 --steps "$sampling" --guidance 5 --precision bfloat16
    fi
    $attune select --corpus "$corpus" best --by mi --top 1 --per prompt >/dev/null
    for steps in 20 40; do
        timed attune-train-$steps $attune train --corpus "$corpus" best --model datasets/tiny-sd --run bench-$steps \
            --steps $steps --batch 8 --accumulate 1 --checkpoint-every 40
    done
    echo "round $round: diffusers, peft"
    "$python" Benchmarks/peers/pipeline.py datasets/tiny-sd --prompts Benchmarks/prompts.txt \
        --steps "$sampling" 2>/dev/null >"$work/peer"
    for stage in generate train; do
        grep "\"stage\": \"$stage\"" "$work/peer" | sed -E 's/.*"seconds": ([0-9.]+).*/\1/' | tee -a "$work/peer-$stage"
    done
done

echo
paste "$work/attune-train-40" "$work/attune-train-20" | awk '{ printf "%.3f\n", $1 - $2 }' >"$work/attune-steps"
mv "$work/attune-train-20" "$work/attune-train"
cp "$work/peer-train" "$work/peer-steps"
cp "$work/peer-generate" "$work/peer-bfloat16"

echo "stage      attune     peer    ratio   (medians of $rounds, seconds; $(nproc) cores)"
for stage in $stages; do
    echo "$stage $(median "$work/attune-$stage") $(median "$work/peer-$stage")" |
        awk '{ printf "%-8s %8.2f %8.2f %8.2f\n", $1, $2, $3, $3 / $2 }'
done
