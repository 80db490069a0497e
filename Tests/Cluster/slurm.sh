#!/usr/bin/env bash
# A Slurm of one host, of Debian's packages, without accounting: an array of examples/cluster/generate.sbatch fills one corpus
# while a job of higher priority preempts its tasks, which are requeued; at the end nothing is missing, and the shards are those
# that one process makes.
#   Tests/Cluster/slurm.sh [ATTUNE]
# As root, with slurm-wlm and munge installed. Leaves nothing behind but /tmp/attune-slurm.* on failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "slurm.sh: needs root" >&2; exit 77; }
ATTUNE=$(realpath "${1:-.build/release/attune}")
export ATTUNE
for program in slurmctld slurmd munged sbatch; do
    command -v $program >/dev/null || PATH=$PATH:/usr/sbin
    command -v $program >/dev/null || { echo "slurm.sh: $program is not installed: apt-get install slurm-wlm munge" >&2; exit 77; }
done
work=$(mktemp -d /tmp/attune-slurm.XXXXXX)
chmod 755 "$work"
mkdir "$work/state" "$work/spool" "$work/munge"
host=$(hostname -s)

# munge: a key and a socket of its own.
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
chown -R munge: "$work/munge"
chmod 600 "$work/munge/key"
chmod 755 "$work/munge"
runuser -u munge -- munged --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
    --log-file="$work/munge/log" --seed-file="$work/munge/seed"

export SLURM_CONF=$work/slurm.conf
cat > "$SLURM_CONF" <<CONF
ClusterName=attune
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CryptoType=crypto/munge
SlurmUser=root
SlurmctldPort=27817
SlurmdPort=27818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=30
MessageTimeout=30
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=low Nodes=$host Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=20 MaxTime=INFINITE
PartitionName=high Nodes=$host PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE
CONF
end() {
    status=$?
    scancel --full --state=RUNNING 2>/dev/null || true
    for pid in "$work"/slurmd.pid "$work"/slurmctld.pid "$work"/munge/pid; do
        [ -s "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
    if [ $status -ne 0 ]; then echo "slurm.sh: failed; its files are in $work" >&2; else sleep 1; rm -rf "$work"; fi
}
trap end EXIT
slurmctld
slurmd
for _ in $(seq 60); do
    [ "$(sinfo -h -o %t -p low 2>/dev/null)" = idle ] && break
    sleep 0.5
done
sinfo

# What the tasks see, for the order of variables in docs/cluster.md.
srun --ntasks=2 --overcommit sh -c 'echo "step: $SLURM_PROCID of $SLURM_NTASKS, step id $SLURM_STEP_ID"'

corpus=$work/corpus
for i in $(seq 8); do echo "a red circle number $i"; done > "$work/prompts.txt"
"$ATTUNE" init --corpus "$corpus" >/dev/null
options="--images-per-prompt 12 --steps 40 --batch 4 --seed 7"
export OMP_NUM_THREADS=1 ATTUNE_THREADS=1
submit() {
    sbatch --parsable --array=1-4 --cpus-per-task=1 --mem=500 --time=10 --chdir="$work" "$@" \
        --export="ALL,CORPUS=$corpus,MODEL=$PWD/datasets/tiny-sd,PROMPTS=$work/prompts.txt,GENERATE_OPTIONS=$options" \
        examples/cluster/generate.sbatch
}
array=$(submit)
echo "array $array is submitted"
# While it runs, twice, a job that needs the whole host.
for round in 1 2; do
    for _ in $(seq 120); do
        [ "$(find "$corpus/shards" -name '*.h5' | wc -l)" -ge $((round * 3)) ] && break
        sleep 0.25
    done
    urgent=$(sbatch --parsable --partition=high --cpus-per-task=2 --time=1 --chdir="$work" --output=/dev/null --wrap='sleep 3')
    for _ in $(seq 240); do
        state=$(scontrol show job "$urgent" -o 2>/dev/null | grep -o 'JobState=[A-Z]*' || true)
        [ "$state" = JobState=COMPLETED ] && break
        sleep 0.25
    done
    echo "round $round: the urgent job is $state; the array:"
    squeue -h -o '%i %T' || true
done
for _ in $(seq 600); do
    [ -z "$(squeue -h -j "$array" 2>/dev/null)" ] && break
    sleep 0.5
done
restarts=$(scontrol show job "$array" -o | grep -o 'Restarts=[0-9]*' | cut -d= -f2 | paste -sd+ | bc)
echo "tasks were restarted $restarts times"
cat "$work"/attune-*.log
[ "$restarts" -ge 1 ] || { echo "slurm.sh: no task was preempted" >&2; exit 1; }
"$ATTUNE" missing --corpus "$corpus" --model datasets/tiny-sd --prompts "$work/prompts.txt" --images-per-prompt 12 --steps 40 --seed 7
"$ATTUNE" verify --corpus "$corpus" >/dev/null

# One process, without Slurm: the same samples, and the same shards.
for part in 1 2 3 4; do
    "$ATTUNE" init --corpus "$work/alone" >/dev/null 2>&1 || true
    "$ATTUNE" generate --corpus "$work/alone" --model datasets/tiny-sd --prompts "$work/prompts.txt" $options --part $part/4 2>/dev/null
done
list() { (cd "$1/shards" && find . -name '*.h5' | sort); }
diff <(list "$corpus") <(list "$work/alone") && echo "the shards are those of one process, byte for byte"
