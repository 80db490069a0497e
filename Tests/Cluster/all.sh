#!/usr/bin/env bash
# The tests of this folder, one after the other, with what each took. One that cannot run here (status 77: not root, a program is
# missing) is skipped and said; one that fails ends all.
#   Tests/Cluster/all.sh ATTUNE [mpi|slurm|kubernetes|container|nfs]…    default: all
set -uo pipefail
cd "$(dirname "$0")/../.."
attune=$1
shift
[ $# -gt 0 ] || set -- mpi slurm kubernetes container nfs
python=${ATTUNE_PYTHON:-.venv/bin/python}
kubernetes() {
    [ -x "$python" ] || { echo "kubernetes: there is no $python: make setup-python" >&2; return 77; }
    "$python" -c 'import kubernetes_validate' 2>/dev/null || "$python" -m pip install -q --disable-pip-version-check kubernetes-validate || return 77
    "$python" Tests/Cluster/kubernetes.py
}
declare -a summary
for part in "$@"; do
    echo "=== $part"
    began=$SECONDS
    if [ "$part" = kubernetes ]; then kubernetes; else "Tests/Cluster/$part.sh" "$attune"; fi
    status=$?
    took=$((SECONDS - began))
    case $status in
    0) summary+=("passed   $part (${took} s)") ;;
    77) summary+=("SKIPPED  $part: see above") ;;
    *)
        echo "=== FAILED   $part (status $status, $took s)" >&2
        exit 1
        ;;
    esac
done
echo "=== cluster"
printf '%s\n' "${summary[@]}"
