# Sourced by the scripts that compare with Python packages.
#   peer_python NAME PACKAGE…    prints a Python that has these packages, in a virtual environment that is made once in
#                                BENCH_DIR (~/.cache/attune-bench)
export BENCH_DIR=${BENCH_DIR:-$HOME/.cache/attune-bench}

peer_python() {
    local folder=$BENCH_DIR/$1 packages=("${@:2}")
    if [ ! -e "$folder/complete" ]; then
        echo "making a virtual environment with ${packages[*]} in $folder" >&2
        python3 -m venv "$folder" >&2
        # PyTorch's own index has a build without CUDA, a tenth as large; where it is out of reach, PyPI's does too.
        if [[ " ${packages[*]} " == *" torch "* ]]; then
            "$folder/bin/python" -m pip install --quiet --retries 0 --index-url https://download.pytorch.org/whl/cpu torch >&2 || true
        fi
        "$folder/bin/python" -m pip install --quiet "${packages[@]}" >&2
        touch "$folder/complete"
    fi
    echo "$folder/bin/python"
}
