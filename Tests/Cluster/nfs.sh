#!/usr/bin/env bash
# One corpus on a real NFS mount: a server with the kernel's nfsd and two hosts, east and west, with kernels and clocks of their own
# (west is a day ahead), by User Mode Linux of Debian's packages (hosts.sh). Both fill the corpus at once; workers are killed,
# a host and the server lose power, nfsd goes away and comes back, the disk and a quota are full; at the end the shards are
# those that one process makes on a local disk.
#   Tests/Cluster/nfs.sh [ATTUNE]
# As root, with debootstrap and user-mode-linux. About five minutes; the hosts' root folder is made once. NFS_MOUNT="vers=3" and
# the like: mount options in place of the kernel's.
set -euo pipefail
cd "$(dirname "$0")/../.."
ATTUNE=$(realpath "${1:-.build/release/attune}")
. Tests/Cluster/hosts.sh
work=$(mktemp -d /tmp/attune-nfs.XXXXXX)
end() {
    status=$?
    stop_hosts
    if [ $status -ne 0 ]; then echo "nfs.sh: failed (status $status); its files are in $work" >&2; else rm -rf "$work"; fi
}
trap end EXIT
began=$SECONDS
step() { printf '== %4ds  %s\n' $((SECONDS - began)) "$*"; }
fail() { echo "nfs.sh: $*" >&2; exit 1; }
prepare_hosts
cp -r datasets/tiny-sd "$work/files/model"
for i in $(seq 4); do echo "a red circle number $i"; done >"$work/files/prompts.txt"
settings="--model /opt/attune/model --prompts /opt/attune/prompts.txt --images-per-prompt 8 --steps 20 --seed 7"
training="--steps 12 --batch 2 --accumulate 1 --rank 4 --alpha 4 --checkpoint-every 2"

# What one process makes on a local disk, here.
alone=$work/alone
{
    "$ATTUNE" init --corpus "$alone"
    for part in 1/2 2/2; do "$ATTUNE" generate --corpus "$alone" ${settings//\/opt\/attune/$work/files} --batch 2 --part $part; done
    "$ATTUNE" select --corpus "$alone" best --by mi --top 2 --per prompt
    "$ATTUNE" train --corpus "$alone" best --model "$work/files/model" --run first $training
} >"$work/alone.log" 2>&1 || { cat "$work/alone.log" >&2; fail "the corpus of one process"; }
list() { (cd "$1/shards" && find . -name '*.h5' | sort); }
list "$alone" >"$work/alone.list"

# The server: an ext4 disk of its own. Leases of 15 s in place of 90, so that a lost host's locks end within the test; the time in
# which clients may claim theirs again after a restart stays at 90 s, and ends when all have.
truncate -s 300M "$work/server.img"
truncate -s 24M "$work/small.img"
serve() {
    boot server 1 256M "ubd0=$work/server.img" "ubd1=$work/small.img"
    root server "set -e
        blkid /dev/ubda >/dev/null || mkfs.ext4 -q /dev/ubda
        blkid /dev/ubdb >/dev/null || mkfs.ext4 -q -O quota -N 512 /dev/ubdb
        mkdir -p /run/disk
        mount /dev/ubda /run/disk
        mkdir -p /run/disk/{corpus,small,state}
        mount -o usrquota /dev/ubdb /run/disk/small
        mkdir -p /run/disk/small/corpus
        chown 1000:1000 /run/disk/corpus /run/disk/small/corpus
        # Whose locks may be claimed again is known after a restart.
        mount --bind /run/disk/state /var/lib/nfs
        mkdir -p /var/lib/nfs/{sm,sm.bak,v4recovery,nfsdcld,rpc_pipefs}
        touch /var/lib/nfs/{etab,rmtab,state}
        mount -t rpc_pipefs rpc_pipefs /var/lib/nfs/rpc_pipefs
        modprobe nfsd
        mount -t nfsd nfsd /proc/fs/nfsd
        rpcbind -w
        rpc.statd
        nfsdcld
        exportfs -o rw,no_subtree_check,fsid=0 10.77.0.0/24:/run/disk
        exportfs -o rw,no_subtree_check,fsid=2 10.77.0.0/24:/run/disk/small
        echo 15 >/proc/fs/nfsd/nfsv4leasetime
        rpc.mountd
        rpc.nfsd 8" || fail "the server does not start"
}
client() {
    local name=$1
    boot "$name" $2 700M
    [ "$name" != west ] || root west 'date -s "+1 day" >/dev/null'
    # NFS 4 counts paths from the export with fsid=0.
    local above=
    case ${NFS_MOUNT:-} in *vers=3*) above=/run/disk ;; esac
    root "$name" "modprobe nfs; rpcbind -w; rpc.statd
        mount -t nfs ${NFS_MOUNT:+-o $NFS_MOUNT} 10.77.0.1:$above/corpus /corpus &&
        mount -t nfs ${NFS_MOUNT:+-o $NFS_MOUNT} 10.77.0.1:$above/small/corpus /small" || fail "$name cannot mount"
}
serve
client east 2
client west 3
step "server, east and west run; east: $(on east 'uname -r; date +%F'), west: $(on west 'date +%F')"
root east "grep ' /corpus ' /proc/mounts"

# Work in the background on a host: its status is in $work/NAME.status when it is done.
declare -A task
start() {
    local name=$1
    shift
    rm -f "$work/$name.status"
    {
        code=0
        on "$name" "$*" >"$work/$name.log" 2>&1 || code=$?
        echo $code >"$work/$name.status"
    } &
    task[$name]=$!
}
# Waits for it; ends with its status.
await() { wait "${task[$1]}" || true; return "$(cat "$work/$1.status")"; }
succeeds() { await "$1" || { cat "$work/$1.log" >&2; fail "$1 ended with status $(cat "$work/$1.status")"; }; }
# Waits until so many more shards are there. Status 1 where both hosts were done before.
shards() { root server 'find /run/disk/corpus -path "*/shards/*.h5" | wc -l'; }
reach() {
    local until=$((SECONDS + 240)) name aim=$(($(shards) + $1))
    while [ "$(shards)" -lt $aim ]; do
        [ $SECONDS -lt $until ] || fail "no shard was sealed for four minutes"
        for name in east west; do
            [ ! -e "$work/$name.status" ] || [ "$(cat "$work/$name.status")" = 0 ] || { cat "$work/$name.log" >&2; fail "$name has failed"; }
        done
        [ ! -e "$work/east.status" ] || [ ! -e "$work/west.status" ] || return 1
        sleep 0.1
    done
}
generate() { echo "attune generate --corpus $1 $settings --batch 2 --part $2"; }
same() {
    root server "cd /run/disk/corpus/$1/shards && find . -name '*.h5' | sort" >"$work/list"
    diff "$work/alone.list" "$work/list" >"$work/diff" || { cat "$work/diff" >&2; fail "$1: other shards than one process makes"; }
    on east "attune verify --corpus $1" | sed 's/^/   /'
    [ -z "$(root server "find /run/disk/corpus/$1 -name '.nfs*'")" ] || fail "$1: an NFS client's .nfs file stays"
}

step "both hosts fill one corpus at once"
on east 'attune init --corpus a' >/dev/null
start east "$(generate a 1/2)"
start west "$(generate a 2/2)"
succeeds east
succeeds west
# At once, not when an attribute cache has expired.
for name in east west; do
    on $name "attune missing --corpus a $settings" || fail "$name does not see the other's shards"
    echo "   $name: $(on $name 'attune query --corpus a --by mi --top 1 --json' | tr -d '\n ' | cut -c1-90)"
done
same a

step "selections and a run move between hosts"
on east 'attune select --corpus a best --by mi --top 2 --per prompt' | sed 's/^/   /'
start west "attune train --corpus a best --model /opt/attune/model --run first $training"
for _ in $(seq 300); do on west 'test -s a/runs/first/log.jsonl && grep -q event.:.checkpoint a/runs/first/log.jsonl' 2>/dev/null && break; sleep 0.1; done
on west 'pkill -KILL -x attune' || true
! await west || fail "the run ended before it was killed"
start east "attune train --corpus a best --model /opt/attune/model --run first $training"
succeeds east
grep -h 'resuming' "$work/east.log" | sed 's/^/   east: /' || fail "east did not resume west's run"
adapter=runs/first/adapter/pytorch_lora_weights.safetensors
[ "$(root server "sha256sum </run/disk/corpus/a/$adapter")" = "$(sha256sum <"$alone/$adapter")" ] || fail "another adapter"
echo "   the adapter is that of one process, byte for byte"

step "a selection's name is given on both hosts at once, five times each"
start east 'for i in $(seq 1 5); do attune select --corpus a both --top $i || exit 1; done'
start west 'for i in $(seq 6 10); do attune select --corpus a both --top $i || exit 1; done'
succeeds east
succeeds west
entries=$(on west 'attune selections --corpus a both | tail -n +2 | wc -l')
echo "   its history has $entries entries"
[ "$entries" -eq 10 ] || fail "selections were lost"

step "workers are killed while they write"
on east 'attune init --corpus b' >/dev/null
for round in 1 2 3; do
    start east "$(generate b 1/2)"
    start west "$(generate b 2/2)"
    reach 2 || break
    on east 'pkill -KILL -x attune' || true
    sleep 0.$((round * 2))
    on west 'pkill -KILL -x attune' || true
    await east || true
    await west || true
done
echo "   $round times both; $(root server 'ls /run/disk/corpus/b/tmp | wc -l') files were left in tmp/"
start east "$(generate b 1/2)"
start west "$(generate b 2/2)"
succeeds east
succeeds west
same b

step "nfsd goes away for 20 s, and comes back"
on east 'attune init --corpus c' >/dev/null
start east "$(generate c 1/2)"
start west "$(generate c 2/2)"
reach 2
root server 'rpc.nfsd 0'
sleep 20
[ ! -e "$work/east.status" ] || fail "east did not wait for the server: $(cat "$work/east.log")"
root server 'rpc.nfsd 8'
reach 1 || fail "the work was done too soon"
echo "   both went on"

step "the server loses power, and starts again"
power_off server
sleep 2
serve
reach 1 || fail "the work was done too soon"
echo "   both went on"

succeeds east
succeeds west
same c

step "west loses power; east does its part"
on east 'attune init --corpus d' >/dev/null
start east "$(generate d 1/2)"
start west "$(generate d 2/2)"
reach 3
power_off west
wait "${task[west]}" || true
client west 3
succeeds east
start east "$(generate d 2/2)"
succeeds east
same d

step "west's clock is a day ahead: its gc spares what is younger than twelve hours"
on west 'attune gc --corpus c --keep-none --grace 12h' | sed 's/^/   /'
on west "attune missing --corpus c $settings" || fail "gc removed what was young"

step "east packs while west trains"
start west "attune select --corpus c all >/dev/null && attune train --corpus c all --model /opt/attune/model --run long --steps 150 --batch 2 --accumulate 1 --rank 4 --alpha 4 --checkpoint-every 100"
for _ in $(seq 300); do on west 'test -s c/runs/long/log.jsonl' 2>/dev/null && break; sleep 0.1; done
on east 'attune pack --corpus c' | sed 's/^/   /'
succeeds west
on west 'attune verify --corpus c' | sed 's/^/   /'

step "a full disk, and a full quota"
root server 'dd if=/dev/zero of=/run/disk/small/fill bs=64k 2>/dev/null; truncate -s -1500k /run/disk/small/fill; sync'
on east 'attune init --corpus /small/e' >/dev/null
full() {
    status=0
    on east "$(generate /small/e 1/1)" >"$work/full.log" 2>&1 || status=$?
    grep '^attune: ' "$work/full.log" | sed 's/^/   /'
    [ $status -eq 1 ] && [ "$(grep -c '^attune: ' "$work/full.log")" -eq 1 ] || { cat "$work/full.log" >&2; fail "status $status of a full disk"; }
    grep -qE "$1" "$work/full.log" || fail "it does not say: $1"
}
full 'No space left'
root server 'rm /run/disk/small/fill; setquota -u worker 0 $(($(du -sk /run/disk/small/corpus | cut -f1) + 150)) 0 0 /run/disk/small'
# Met by a shard, or by the catalogue, whose library knows no word for it.
full 'quota exceeded|check its disk'
root server 'setquota -u worker 0 0 0 0 /run/disk/small'
on east "$(generate /small/e 1/1)" >/dev/null 2>&1 || fail "it does not resume on a disk with room"
on east "attune missing --corpus /small/e $settings"
on east 'attune verify --corpus /small/e' | sed 's/^/   /'
step "done"
