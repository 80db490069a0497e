#!/usr/bin/env bash
# DocC pages of Attune's modules, in .build-docs/NAME.doccarchive. Any warning is a failure.
# Needs a built tree (make test builds one); reads what the compiler wrote, so it takes a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
toolchain=$(dirname "$(readlink -f "$(command -v swift)")")
out=.build-docs
rm -rf "$out"
mkdir -p "$out"

# Every system library and C target has its module map; packages' C modules too.
includes=()
for map in Sources/*/module.modulemap; do includes+=(-Xcc "-fmodule-map-file=$PWD/$map"); done
for map in .build/release/*.build/module.modulemap; do includes+=(-Xcc "-fmodule-map-file=$PWD/$map"); done
for folder in Sources/*/include .build/checkouts/*/Sources/*/include; do includes+=(-Xcc "-I$PWD/$folder"); done
for map in .build/checkouts/GRDB.swift/Sources/*/module.modulemap; do includes+=(-Xcc "-fmodule-map-file=$PWD/$map"); done
for package in hdf5-serial openblas; do
    for flag in $(pkg-config --cflags "$package"); do includes+=(-Xcc "$flag"); done
done

status=0
for folder in Sources/*/; do
    name=$(basename "$folder")
    [ -n "$(find "$folder" -name '*.swift' -print -quit)" ] || continue
    case $name in attune | attune-*) continue ;; esac
    graphs=$out/$name.graphs
    mkdir -p "$graphs"
    "$toolchain/swift-symbolgraph-extract" -module-name "$name" -I .build/release/Modules "${includes[@]}" \
        -target "$(uname -m)-unknown-linux-gnu" -output-dir "$graphs" -minimum-access-level package -skip-inherited-docs
    catalog=$(ls -d "$folder"*.docc 2>/dev/null | head -1 || true)
    "$toolchain/docc" convert ${catalog:+"$catalog"} --additional-symbol-graph-dir "$graphs" \
        --fallback-display-name "$name" --fallback-bundle-identifier "attune.$name" \
        --output-path "$out/$name.doccarchive" --warnings-as-errors >"$out/$name.log" 2>&1 ||
        { status=1; cat "$out/$name.log" >&2; }
    echo "$name: $(grep -c . "$out/$name.log" || true) lines of diagnostics"
done
exit $status
