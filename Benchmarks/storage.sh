#!/usr/bin/env bash
# Attune's store beside h5py + zstd, WebDataset, MosaicML Streaming and Lance, on the same samples: medians and ratios. Then the
# same for training in Python: DataLoader with two workers.
#   STORAGE_PYTHON  a Python with h5py hdf5plugin webdataset mosaicml-streaming pylance pillow numpy torch; without one, a virtual
#                   environment is made (BENCH_DIR, as engine.sh says)
#   STORAGE_FOLDER  where files go (default: a temporary folder); STORAGE_RUNS: how often all take turns (default 3)
#   STORAGE_LINES   a file that takes what each run measured, a line of JSON each
set -euo pipefail
cd "$(dirname "$0")/.."
source Benchmarks/peers/venv.sh
python=${STORAGE_PYTHON:-$(peer_python storage h5py hdf5plugin webdataset mosaicml-streaming pylance pillow numpy torch)}
folder=${STORAGE_FOLDER:-$(mktemp -d)}
lines=${STORAGE_LINES:-$folder/lines}
runs=${STORAGE_RUNS:-3}
trap 'rm -rf "$folder/attune" "$folder/loader" "$folder/peers" "$folder/lines" "$folder"/images-*' EXIT

[[ -n ${ATTUNE_BENCH:-} ]] || swift build -c release --product attune-bench >&2
bench=${ATTUNE_BENCH:-.build/release/attune-bench}

compare() { # samples, side of the image, latent
    "$python" Benchmarks/peers/storage_images.py "$folder/images-$2" "$2"
    for _ in $(seq "$runs"); do
        "$python" Benchmarks/peers/storage.py "$folder/peers" --n "$1" --side "$2" --latent "$3" | grep '^{'
        rm -rf "$folder/peers"
        $bench corpus storage "$folder/attune" --n "$1" --side "$2" --latent "$3" --images "$folder/images-$2"
        rm -rf "$folder/attune"
    done
}

{
    echo '# 64x64 PNG, 4x64x64 latent, 100 steps'
    compare "${STORAGE_SAMPLES:-10000}" 64 4,64,64
    echo '# 512x512 PNG, 4x64x64 latent, 100 steps'
    compare "${STORAGE_LARGE_SAMPLES:-1000}" 512 4,64,64
} | tee "$lines" | "$python" Benchmarks/peers/storage_table.py

echo
echo '# Python: samples per second through DataLoader with 2 workers; the last column is the package over each'
for part in "latents ${STORAGE_SAMPLES:-10000} 64" "images ${STORAGE_SAMPLES:-10000} 64" "images ${STORAGE_LARGE_SAMPLES:-1000} 512"; do
    read -r what samples side <<<"$part"
    "$python" Benchmarks/peers/loader.py "$what" "$folder/loader" --n "$samples" --side "$side" --bench "$bench" --runs "$runs"
done | tee -a "$lines" | "$python" -c '
import json, sys
for line in map(json.loads, sys.stdin):
    name = "{what} {side}".format(**line)
    print("{:12}{:26}{:>12,}{:>8}".format(name, line["reader"], line["per_s"], line["ratio"]))'

