#!/usr/bin/env bash
# The parallel code of Tensor and CKernels under the thread sanitizer, in a build of its own. It compiles the two modules
# and a driver, and not the whole package, which would take many minutes.
#   Scripts/thread-sanitizer.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
out=.build/thread-sanitizer
mkdir -p "$out/modules"
clang=$(command -v clang || dirname "$(command -v swiftc)")/clang
clang=$(command -v clang || echo "$clang")
cat > "$out/modules/module.modulemap" <<EOF
module CKernels { header "$PWD/Sources/CKernels/include/CKernels.h" export * }
EOF
objects=()
for source in Sources/CKernels/*.c; do
    object="$out/$(basename "$source" .c).o"
    "$clang" -fsanitize=thread -g -O1 -std=gnu11 -D_GNU_SOURCE -ISources/CKernels/include -c "$source" -o "$object"
    objects+=("$object")
done
flags=()
for feature in ExistentialAny MemberImportVisibility InternalImportsByDefault NonisolatedNonsendingByDefault; do
    flags+=(-enable-upcoming-feature "$feature")
done
# shellcheck disable=SC2046
swiftc -sanitize=thread -g -O -swift-version 6 -package-name attune -module-name ThreadSanitizer "${flags[@]}" \
    -I "$out/modules" -I Sources/COpenBLAS $(pkg-config --cflags openblas | sed 's/-I/-Xcc -I/g') \
    $(find Sources/Tensors -name '*.swift') Tests/ThreadSanitizer/*.swift "${objects[@]}" \
    $(pkg-config --libs openblas) -o "$out/driver"
TSAN_OPTIONS="halt_on_error=1 abort_on_error=0 exitcode=66 ${TSAN_OPTIONS:-}" "$out/driver" "${1:-10}"
