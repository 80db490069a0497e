#!/usr/bin/env bash
# Installs what `make dist` made in a Debian 12 that has neither Swift nor a compiler, and uses it. Needs root and
# debootstrap. The system is kept in ~/.cache/attune-dist for the next run.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "clean_install: chroot needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; }
base=${DIST_CACHE:-$HOME/.cache/attune-dist}/bookworm
# The mirror that this machine uses.
mirror=$(sed -nE 's/^(deb |URIs: )(\[[^]]*\] *)?(https?:[^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1 || true)
if [ ! -e "$base/complete" ]; then
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase bookworm "$base" "${mirror:-http://deb.debian.org/debian}" >"$base.log"
    touch "$base/complete"
fi
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null; rm -rf --one-file-system "$root"' EXIT
cp -a "$base/." "$root/"
# The loader finds $ORIGIN through it.
mount -t proc proc "$root/proc"
cp dist/*.deb dist/*.tar.gz "$root/root/"
cp -r datasets "$root/root/datasets"
head -2 datasets/prompts/demo.txt >"$root/root/prompts.txt"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/sources.list; do [ -e "$file" ] && cp "$file" "$root$file"; done

use='
set -euo pipefail
attune --version
attune doctor || true
attune init --corpus /tmp/c
attune generate --corpus /tmp/c --model /root/datasets/tiny-sd --prompts /root/prompts.txt --images-per-prompt 2 --steps 5
attune select best --corpus /tmp/c --by mi --top 1 --per prompt
attune train best --corpus /tmp/c --model /root/datasets/tiny-sd --run r --rank 4 --steps 2 --batch 2 --accumulate 1
attune export best --corpus /tmp/c --format imagefolder --to /tmp/out
attune verify --corpus /tmp/c
rm -rf /tmp/c /tmp/out
'
echo "== tar.gz"
chroot "$root" bash -c "cd /root && tar xzf attune-*.tar.gz && PATH=\$(echo /root/attune-*/bin):\$PATH && $use"
echo "== Debian package"
chroot "$root" bash -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends /root/attune_*.deb >/dev/null && $use
    test -e /usr/share/man/man1/attune.1.gz && test -e /usr/share/bash-completion/completions/attune
    dpkg -s attune | grep -E '^(Status|Version|Depends)'; dpkg -r attune && test ! -e /usr/bin/attune"
echo "both work"
