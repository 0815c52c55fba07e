#!/usr/bin/env bash
# Steps and descriptors of methods on a pretended GPU: CPU numbers under the name of cuda.
#   bash benchmarks/gpu_day/without_gpu/run.sh METHOD[,METHOD...] [CHANGE...]
# Mixing devices raises as it would there; every wait for the device is counted with its line;
# exact losses are held against the CPU's. Needs gcc and a torch built for CUDA, no GPU.
# PYTHON: the interpreter; by default that of .venv/ where there is one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."
python=${PYTHON:-python3}
[ -n "${PYTHON:-}" ] || [ ! -x .venv/bin/python ] || python=.venv/bin/python
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
gcc -shared -fPIC -O1 -o "$made/stubs.so" "$here/stubs.c"
gcc -shared -fPIC -O1 -Wl,-soname,libcuda.so.1 -o "$made/libcuda.so.1" "$here/stubs.c"
GPU_DAY_TINY=${GPU_DAY_TINY:-1} LD_PRELOAD=$made/stubs.so \
    LD_LIBRARY_PATH=$made${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    "$python" -m benchmarks.gpu_day.without_gpu.steps "$@"
