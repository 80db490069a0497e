#!/usr/bin/env bash
# Training over Open MPI: 1, 2 and 4 ranks give one adapter, a run that 4 ranks began ends on 2, a rank that is killed ends the
# others and the run resumes, SIGUSR1 stops all of them with status 75, and ranks that differ are refused in one line.
#   Tests/Cluster/mpi.sh [ATTUNE]
set -euo pipefail
cd "$(dirname "$0")/../.."
attune=$(realpath "${1:-.build/release/attune}")
command -v mpirun >/dev/null || { echo "mpi.sh: mpirun is not installed: apt-get install openmpi-bin" >&2; exit 77; }
work=$(mktemp -d /tmp/attune-mpi.XXXXXX)
trap 'rm -rf "$work"' EXIT
export ATTUNE_CORPUS=$work/corpus ATTUNE_THREADS=1
model=datasets/tiny-sd
printf 'a red circle\nthree green stars\n' > "$work/prompts.txt"
"$attune" init >/dev/null
"$attune" generate --model $model --prompts "$work/prompts.txt" --images-per-prompt 6 --steps 4 2>/dev/null
"$attune" select pool >/dev/null
settings=(pool --model $model --steps 6 --batch 2 --accumulate 8 --rank 4 --alpha 4 --checkpoint-every 2)
# In the background: the job is mpirun itself, which gets the signals.
start() { local count=$1; shift; exec mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$count" "$attune" train "${settings[@]}" "$@"; }
ranks() { local count=$1; shift; mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$count" "$attune" train "${settings[@]}" "$@"; }
adapter() { sha256sum < "$ATTUNE_CORPUS/runs/$1/adapter/pytorch_lora_weights.safetensors"; }
same() { [ "$(adapter "$1")" = "$(adapter one)" ] || { echo "mpi.sh: run $1 has other bytes than one process's" >&2; exit 1; }; }

"$attune" train "${settings[@]}" --run one >/dev/null 2>&1
for count in 1 2 4; do
    ranks $count --run "of$count" >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    same "of$count"
    echo "$count ranks: the adapter of one process, byte for byte"
done

# SIGUSR1, which mpirun passes on, at 4 ranks; then 2.
settings[4]=40
"$attune" train "${settings[@]}" --run long >/dev/null 2>&1
start 4 --run moved >/dev/null 2>"$work/log" &
job=$!
until grep -q '"event":"checkpoint"' "$ATTUNE_CORPUS/runs/moved/log.jsonl" 2>/dev/null || ! kill -0 $job 2>/dev/null; do sleep 0.1; done
kill -USR1 $job
status=0; wait $job || status=$?
[ $status -eq 75 ] || { cat "$work/log" >&2; echo "mpi.sh: stopped ranks ended with $status, not 75" >&2; exit 1; }
grep 'stopped after step' "$work/log"
ranks 2 --run moved >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
[ "$(adapter moved)" = "$(adapter long)" ]
echo "a run that 4 ranks began ended on 2, byte for byte"

# One rank is killed.
start 4 --run killed >/dev/null 2>"$work/log" &
job=$!
until grep -q '"event":"checkpoint"' "$ATTUNE_CORPUS/runs/killed/log.jsonl" 2>/dev/null || ! kill -0 $job 2>/dev/null; do sleep 0.1; done
victim=$(pgrep -P $job | tail -1)
kill -KILL "$victim"
status=0; wait $job || status=$?
[ $status -ne 0 ] || { echo "mpi.sh: a killed rank went unnoticed" >&2; exit 1; }
ranks 4 --run killed >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
[ "$(adapter killed)" = "$(adapter long)" ]
echo "a rank was killed, the others ended (status $status), and the run resumed to the same bytes"

# What is refused, in one line of attune's.
refused() {
    local says=$1; shift
    if "$@" >/dev/null 2>"$work/log"; then echo "mpi.sh: not refused: $says" >&2; exit 1; fi
    grep -q "$says" "$work/log" || { cat "$work/log" >&2; echo "mpi.sh: it does not say: $says" >&2; exit 1; }
    [ "$(grep -c '^attune: ' "$work/log")" -eq 1 ] || { cat "$work/log" >&2; echo "mpi.sh: more than one line" >&2; exit 1; }
    grep '^attune: ' "$work/log"
}
two() { mpirun --allow-run-as-root --oversubscribe --bind-to none -n 1 "$attune" train "${settings[@]}" --run x "$@" : -n 1 "$attune" train "${settings[@]}" --run x; }
refused 'rank 1 has the settings' two --seed 7
level() { mpirun --allow-run-as-root --oversubscribe --bind-to none -n 1 "$attune" train "${settings[@]}" --run x : \
    -n 1 -x ATTUNE_VECTOR_LEVEL=default "$attune" train "${settings[@]}" --run x; }
refused 'rank 1 has the arithmetic of' level
settings[8]=2
refused 'give --accumulate 4 or more' ranks 4 --run x
refused "Open MPI's mpirun" env PMI_SIZE=2 PMI_RANK=0 "$attune" train "${settings[@]}" --run x
