#!/usr/bin/env bash
# The Dockerfile, built and run by buildah and podman of Debian's packages: not as root, with a root file system that may only be
# read, without capabilities; the command is process 1 and SIGTERM ends it with status 75; a corpus on a volume is filled by two
# containers and is that of the host's attune, byte for byte.
#   Tests/Cluster/container.sh [ATTUNE]
# As root. No registry is asked: the base is made by debootstrap, and in place of the compiler's image stands one that holds ATTUNE,
# unless ATTUNE is "build" and BUILD names an image with Swift.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "container.sh: needs root" >&2; exit 77; }
for program in buildah podman debootstrap; do
    command -v $program >/dev/null || { echo "container.sh: $program is not installed: apt-get install buildah podman crun debootstrap" >&2; exit 77; }
done
# crun does not take a host with both kinds of cgroups: in a mount namespace of its own, this script has one.
if [ -d /sys/fs/cgroup/unified ] && [ -z "${ATTUNE_UNSHARED:-}" ]; then
    ATTUNE_UNSHARED=1 exec unshare --mount Tests/Cluster/container.sh "$@"
fi
if [ -n "${ATTUNE_UNSHARED:-}" ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
binary=${1:-.build/release/attune}
work=$(mktemp -d /tmp/attune-container.XXXXXX)
storage=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
export BUILDAH_ISOLATION=chroot
buildah() { command buildah "${storage[@]}" "$@"; }
podman() { command podman "${storage[@]}" --cgroup-manager cgroupfs --events-backend file "$@"; }
end() {
    status=$?
    podman rm -f -t 0 -a >/dev/null 2>&1 || true
    buildah rm -a >/dev/null 2>&1 || true
    if [ $status -ne 0 ]; then echo "container.sh: failed (status $status); its files are in $work" >&2; else rm -rf "$work"; fi
}
trap end EXIT
fail() { echo "container.sh: $*" >&2; exit 1; }

# The base that stands for debian:bookworm-slim, kept beside that of make test-dist.
base=${DIST_CACHE:-$HOME/.cache/attune-dist}/bookworm
if [ ! -e "$base/complete" ]; then
    rm -rf "$base"
    mkdir -p "$base"
    mirror=$(sed -nE 's/^(deb |URIs: )(\[[^]]*\] *)?(https?:[^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1 || true)
    debootstrap --variant=minbase bookworm "$base" "${mirror:-http://deb.debian.org/debian}" >"$base.log"
    touch "$base/complete"
fi
container=$(buildah from scratch)
buildah add -q "$container" "$base" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit -q "$container" localhost/base >/dev/null
arguments=(--build-arg BASE=localhost/base)
if [ "$binary" = build ]; then
    arguments+=(--build-arg "BUILD=${BUILD:-swift:6.3-bookworm}")
else
    # The compiler's stage, done already: the binary, and the Swift runtime where that is not linked into it.
    mkdir -p "$work/archive/bin" "$work/archive/lib"
    install -m 755 "$binary" "$work/archive/bin/attune"
    ldd "$binary" | awk '$3 ~ /swift/ { print $3 }' | while read -r library; do cp -L "$library" "$work/archive/lib/"; done
    container=$(buildah from localhost/base)
    buildah add -q "$container" "$work/archive" /archive >/dev/null
    buildah commit -q "$container" localhost/compiled >/dev/null
    arguments+=(--build-arg BUILD=localhost/compiled)
fi
buildah build -q --network host "${arguments[@]}" -t localhost/attune . >/dev/null || fail "the image is not built"
echo "built: $(buildah images --format '{{.Name}} {{.Size}}' localhost/attune)"

mkdir "$work/corpus"
chown 10001:10001 "$work/corpus"
for i in $(seq 4); do echo "a red circle number $i"; done >"$work/prompts.txt"
chmod 644 "$work/prompts.txt"
mounts=(-v "$work/corpus:/corpus" -v "$PWD/datasets/tiny-sd:/models/tiny:ro" -v "$work/prompts.txt:/prompts.txt:ro")
# As the Job in examples/cluster runs it, with the host's network and within limits that need no capability to set.
strict=(--read-only --read-only-tmpfs=false --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --network host --cgroups disabled
    --ulimit nofile=4096:4096 --ulimit nproc=4096:4096)
contained() { podman run --rm "${strict[@]}" "${mounts[@]}" localhost/attune "$@"; }
generate=(generate --model /models/tiny --prompts /prompts.txt --images-per-prompt 8 --steps 20 --batch 4 --seed 3)

contained --version | sed 's/^/version /'
[ "$(podman run --rm "${strict[@]}" --entrypoint /usr/bin/id localhost/attune -u)" = 10001 ] || fail "it runs as root"
podman run --rm "${strict[@]}" --entrypoint /bin/sh localhost/attune -c 'touch /usr/local/x 2>/dev/null' && fail "its root can be written to"
contained init | sed 's/^/init: /'
contained "${generate[@]}" --part 1/2 2>/dev/null | sed 's/^/part 1: /'

# SIGTERM to process 1.
podman run -d --name stopped "${strict[@]}" "${mounts[@]}" localhost/attune "${generate[@]}" --images-per-prompt 400 --part 2/2 >/dev/null
shards() { find "$work/corpus/shards" -name '*.h5' | wc -l; }
before=$(shards)
for _ in $(seq 300); do [ "$(shards)" -gt "$before" ] && break; sleep 0.1; done
began=$SECONDS
podman stop -t 60 stopped >/dev/null
status=$(podman wait stopped)
podman logs stopped 2>&1 | grep 'stopped;' || fail "it does not say that it stopped"
[ "$status" -eq 75 ] || fail "SIGTERM gives status $status, not 75"
[ $((SECONDS - began)) -lt 30 ] || fail "it took $((SECONDS - began)) s to stop"
echo "SIGTERM: status 75 after $((SECONDS - began)) s"

# The same command resumes; without the extra images the shards are those of the host.
rm -rf "$work/corpus"/{*,.[!.]*} 2>/dev/null || true
contained init >/dev/null
for part in 1/2 2/2; do contained "${generate[@]}" --part $part >/dev/null 2>&1; done
contained verify | sed 's/^/verify: /'
if [ "$binary" != build ]; then
    "$binary" init --corpus "$work/host" >/dev/null
    for part in 1/2 2/2; do
        "$binary" "${generate[@]/\/models\/tiny/datasets/tiny-sd}" --prompts "$work/prompts.txt" --corpus "$work/host" --part $part >/dev/null 2>&1
    done
    list() { (cd "$1/shards" && find . -name '*.h5' | sort); }
    diff <(list "$work/corpus") <(list "$work/host") && echo "the shards are those of the host's attune, byte for byte"
fi
# A corpus that the user may not write to: one line that says so.
chown -R root:root "$work/corpus"
chmod 755 "$work/corpus"
contained "${generate[@]}" --seed 4 >/dev/null 2>"$work/log" && fail "it wrote to a corpus of root's"
grep 'may only be read' "$work/log"
contained query --top 1 --by mi >/dev/null
echo "a corpus of another user can be read, and not written to"
