#!/usr/bin/env bash
# Makes .gpu_day/ in this checkout, ready to be carried to the GPU machine beside the tree:
#   bash benchmarks/gpu_day/prepare.sh [CHECKOUT_OF_THE_AUTHORS_CODE]
# Needs a registry (pip download) and, for the project's own wheel, setuptools.
# PYTHON: the interpreter; by default that of .venv/ where there is one.
set -euo pipefail
from=$(cd "$(dirname "$0")" && pwd)
cd "$from/../.."
python=${PYTHON:-python3}
[ -n "${PYTHON:-}" ] || [ ! -x .venv/bin/python ] || python=.venv/bin/python
peer=${1:-}
if [ -n "$peer" ] && [ ! -f "$peer/torchreid/models/ieee3modalPart.py" ]; then
    echo "$peer is not a checkout of ziwang1121/IEEE" >&2
    exit 2
fi
rm -rf .gpu_day
mkdir -p .gpu_day/wheels
cp "$from/run.sh" .gpu_day/

# What the machine's Python 3.12 lacks of what the project needs: torch, torchvision, timm, numpy,
# pandas, pillow, rich, safetensors, scikit-learn, scipy, tabulate, typer and pytest are there.
# streamlit and altair are not carried: only the leaderboard's pages import them.
# typing_extensions and typing-inspection are there, perhaps older than pydantic wants.
wanted=()
for name in pydantic pydantic_core annotated-types typing_extensions typing-inspection SQLAlchemy; do
    wanted+=("$(grep -i "^$name==" constraints.txt)")
done
platforms=(--platform manylinux2014_x86_64 --platform manylinux1_x86_64)
for n in 2_28 2_27 2_24 2_17 2_12 2_5; do platforms+=(--platform "manylinux_${n}_x86_64"); done
"$python" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
    --implementation cp "${platforms[@]}" -d .gpu_day/wheels "${wanted[@]}"
# From a copy, since an old build/ in the tree would end up in the wheel.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git ls-files -z -co --exclude-standard | tar -c --null -T - | tar -x -C "$tree"
tree_size=$(du -sm "$tree" | cut -f1)
"$python" -m pip wheel -q --no-deps -w .gpu_day/wheels "$tree"

# The authors' code, for the comparison (optional): their package alone.
if [ -n "$peer" ]; then
    mkdir -p .gpu_day/peers/IEEE
    cp -r "$peer/torchreid" .gpu_day/peers/IEEE/
    find .gpu_day/peers -name __pycache__ -prune -exec rm -rf {} +
fi
ls -la .gpu_day/wheels
carried=$(du -sm .gpu_day | cut -f1)
echo "carried: $carried MiB, tree: $tree_size MiB, together of at most 64 MiB"
