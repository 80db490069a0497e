#!/usr/bin/env bash
# Installs what Attune needs on Debian or Ubuntu, only where it is missing.
#   setup.sh system   the C libraries
#   setup.sh python   a virtual environment with the readers that tests compare with
#   setup.sh sharing  the registry and the tools that tests of push and pull talk to
#   setup.sh browser  the browser that tests of the gallery drive
#   setup.sh dist     what make dist and make test-dist use
#   setup.sh cluster  Slurm, Open MPI, hosts that are User Mode Linux, buildah and podman; cluster-quick: the first two
set -euo pipefail
cd "$(dirname "$0")/.."

install() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}"
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

case "${1:-}" in
system)
    command -v swift >/dev/null || { echo "setup: swift is missing: install Swift 6.3 from swift.org and put it on PATH" >&2; exit 1; }
    install libhdf5-dev libpng-dev libjpeg-dev libwebp-dev zlib1g-dev libopenblas-dev libzstd-dev libsqlite3-dev libssl-dev libcurl4-openssl-dev pkg-config
    ;;
python)
    install python3-venv
    if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import h5py, hdf5plugin, numpy, safetensors, PIL, datasets, webdataset, jsonschema, referencing, pandas, pyarrow, pytest, mypy, wheel, websocket' 2>/dev/null; then
        echo "making .venv with h5py, hdf5plugin, numpy, safetensors, pillow, datasets, webdataset, jsonschema, pandas, pyarrow, pytest, mypy, wheel, websocket-client"
        /usr/bin/python3 -m venv .venv
        .venv/bin/pip install -q --disable-pip-version-check h5py hdf5plugin numpy safetensors pillow datasets webdataset jsonschema pandas pyarrow pytest mypy wheel websocket-client
    fi
    ;;
sharing)
    install docker-registry skopeo apache2-utils openssl curl
    ;;
browser)
    install chromium fonts-dejavu-core
    ;;
dist)
    install patchelf dpkg-dev debootstrap
    ;;
cluster-quick)
    install slurm-wlm munge openmpi-bin bc
    ;;
cluster)
    install slurm-wlm munge openmpi-bin bc user-mode-linux debootstrap iproute2 openssh-client buildah podman crun
    ;;
*)
    echo "usage: setup.sh system|python|sharing|browser|dist|cluster|cluster-quick" >&2
    exit 64
    ;;
esac
