#!/usr/bin/env bash
# Man pages and shell completions of a built attune, as swift-argument-parser makes them.
#   extras.sh BINARY SHARE    fills SHARE/man/man1, SHARE/bash-completion, SHARE/zsh, SHARE/fish
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$1 share=$2
man=$share/man/man1
mkdir -p "$man" "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
"$binary" --generate-completion-script bash >"$share/bash-completion/completions/attune"
"$binary" --generate-completion-script zsh >"$share/zsh/site-functions/_attune"
"$binary" --generate-completion-script fish >"$share/fish/vendor_completions.d/attune.fish"

for checkout in .build-dist/checkouts/swift-argument-parser .build/checkouts/swift-argument-parser; do
    [ -d "$checkout" ] && break
done
swift build -c release --package-path "$checkout" --scratch-path .build-manual --product generate-manual >&2
epoch=$(git log -1 --format=%cd --date=format:%Y-%m-%d 2>/dev/null || date +%F)
.build-manual/release/generate-manual "$(realpath "$binary")" --multi-page --date "$epoch" --output-directory "$man" >&2
