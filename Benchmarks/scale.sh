#!/usr/bin/env bash
# The catalogue at one, three and ten million samples, and reindexing from packed shards: one JSON line a figure.
#   SCALE_FOLDER  where corpora go (default: a temporary folder; ten million rows take 5 GB)
#   SCALE_ROWS    (default: 1000000 3000000 10000000)     SCALE_SAMPLES (default: 100000)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${SCALE_FOLDER:-$(mktemp -d)}
[[ -n ${ATTUNE_BENCH:-} ]] || swift build -c release --product attune-bench >&2
bench=${ATTUNE_BENCH:-.build/release/attune-bench}

for rows in ${SCALE_ROWS:-1000000 3000000 10000000}; do
    echo "# $rows rows, 200000 prompts"
    rm -rf "$folder/rows"
    $bench corpus make-rows "$folder/rows" --rows "$rows" --prompts 200000
    $bench corpus ask "$folder/rows"
    rm -rf "$folder/rows"
done

echo "# ${SCALE_SAMPLES:-100000} samples of 64x64 pixels and 4x16x16 latents in packed shards"
rm -rf "$folder/samples"
$bench corpus make-samples "$folder/samples" --samples "${SCALE_SAMPLES:-100000}"
$bench corpus reindex "$folder/samples"
rm -rf "$folder/samples"
