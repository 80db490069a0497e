#!/usr/bin/env bash
# Exporting a selection as an imagefolder against a Pillow script that writes the same folder from pixels in memory.
# Both run in turn, ROUNDS times (3), on 4000 images of 64x64 and 100 of 512x512, and medians are compared. Attune's
# times are of whole commands, with the check of every shard's SHA-256 and a sync of the file system at the end; the
# peers' leave starting Python and loading the pixels out; `synced` adds one `sync` after it. `copy` does what Attune does, with
# h5py: it checks every shard's SHA-256, writes the stored PNG files out, and syncs.
#   PEER_PYTHON=/path/to/python Benchmarks/export.sh     python with pillow, h5py and numpy (default: .venv)
set -euo pipefail
cd "$(dirname "$0")/.."
source Benchmarks/median.sh
rounds=${ROUNDS:-3}
python=${PEER_PYTHON:-.venv/bin/python}
attune=${ATTUNE:-.build/release/attune}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "images          attune     peer    ratio   synced    ratio     copy    ratio   (medians of $rounds, seconds; $(nproc) cores)"
synced() { # FROM TO: the last of FROM's times and a sync's
    local begin; begin=$(date +%s.%N)
    sync
    echo "$(tail -1 "$work/times-$1-$side") $(date +%s.%N) $begin" | awk '{ printf "%.3f\n", $1 + $2 - $3 }' >>"$work/times-$2-$side"
}

for set in 64x4000 512x100; do
    side=${set%x*} count=${set#*x}
    "$python" Benchmarks/peers/export.py "$work/pixels-$side.npy" --make "$side" "$count"
    "$python" Benchmarks/peers/export.py "$work/pixels-$side.npy" --to "$work/set-$side" >/dev/null
    corpus=$work/corpus-$side
    $attune init --corpus "$corpus" >/dev/null
    $attune import --corpus "$corpus" "$work/set-$side" --format imagefolder --batch 512 >/dev/null 2>&1
    $attune select --corpus "$corpus" all --all >/dev/null
    for round in $(seq "$rounds"); do
        # New folders each time: ext4 searches long for an inode while many were deleted less than a minute ago.
        out=$work/out-$side-$round peer=$work/peer-$side-$round
        sync # or Attune's sync would write out what the peer has left in the cache
        begin=$(date +%s.%N)
        $attune export --corpus "$corpus" all --format imagefolder --to "$out" >/dev/null 2>&1
        echo "$(date +%s.%N) $begin" | awk '{ printf "%.3f\n", $1 - $2 }' >>"$work/times-attune-$side"
        "$python" Benchmarks/peers/export.py "$work/pixels-$side.npy" --to "$peer" >>"$work/times-peer-$side"
        synced peer synced
        "$python" Benchmarks/peers/export.py "$corpus" --copy --to "$work/copy-$side-$round" >>"$work/times-copied-$side"
        synced copied copy
    done
    echo "$count of ${side}x$side $(median "$work/times-attune-$side") $(median "$work/times-peer-$side") $(median "$work/times-synced-$side") $(median "$work/times-copy-$side")" |
        awk '{ printf "%-13s %8.3f %8.3f %8.2f %8.3f %8.2f %8.3f %8.2f\n", $1 " " $2 " " $3, $4, $5, $5 / $4, $6, $6 / $4, $7, $7 / $4 }'
done
