#!/usr/bin/env bash
# attune verify against sha256sum and `openssl dgst -sha256` (the processor's SHA instructions) over the same files, each on all cores,
# in one run.
#
#   Benchmarks/verify.sh [CORPUS]    without one, a corpus is made: VERIFY_SAMPLES (default 60000) of 64x64 pixels and
#                                    4x16x16 latents in packed shards, in VERIFY_FOLDER (default: a temporary folder)
#   VERIFY_RUNS                      how often both take turns (default 5)
set -euo pipefail
cd "$(dirname "$0")/.."
source Benchmarks/median.sh
attune=.build/release/attune
rounds=${VERIFY_RUNS:-5}
corpus=${1:-}
if [[ -z $corpus ]]; then
    folder=${VERIFY_FOLDER:-$(mktemp -d)}
    corpus=$folder/corpus
    trap 'rm -rf "$corpus"' EXIT
    [[ -x .build/release/attune-bench ]] || swift build -c release --product attune-bench >&2
    .build/release/attune-bench corpus make-samples "$corpus" --samples "${VERIFY_SAMPLES:-60000}" >&2
fi
bytes=$(find "$corpus/shards" -name '*.h5' -printf '%s\n' | awk '{ n += $1 } END { print n }')
files=$(find "$corpus/shards" -name '*.h5' | wc -l)
cores=$(nproc)

seconds() { local begin end; begin=$(date +%s.%N); "$@" > /dev/null 2>&1; end=$(date +%s.%N); echo "$end $begin" | awk '{ print $1 - $2 }'; }
over() { find "$corpus/shards" -name '*.h5' -print0 | xargs -0 -P "$cores" -n "$(((files + 4 * cores - 1) / (4 * cores)))" "$@"; }

over sha256sum > /dev/null            # all read from the page cache
for ((i = 0; i < rounds; i++)); do
    seconds "$attune" verify --corpus "$corpus" >> "$corpus.verify"
    seconds over sha256sum >> "$corpus.sums"
    seconds over openssl dgst -sha256 >> "$corpus.openssl"
done
verify=$(median "$corpus.verify"); sums=$(median "$corpus.sums"); openssl=$(median "$corpus.openssl")
rm -f "$corpus.verify" "$corpus.sums" "$corpus.openssl"
awk -v b="$bytes" -v f="$files" -v c="$cores" -v v="$verify" -v s="$sums" -v o="$openssl" 'BEGIN {
    printf "%d shards, %.0f MiB, %d cores\n", f, b / 1048576, c
    printf "attune verify         %.2f s  %.0f MiB/s\n", v, b / 1048576 / v
    printf "sha256sum             %.2f s  %.0f MiB/s  ratio %.2f\n", s, b / 1048576 / s, s / v
    printf "openssl dgst -sha256  %.2f s  %.0f MiB/s  ratio %.2f\n", o, b / 1048576 / o, o / v
}'
