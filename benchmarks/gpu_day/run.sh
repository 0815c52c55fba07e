#!/usr/bin/env bash
# One of the three commands of the GPU day, from the root of a checkout:
#   bash .gpu_day/run.sh 1|2|3 [--tiny]
# 1: does it work and is it right. 2: how quick is it and what bounds it. 3: the whole training.
# Everything lands in $OUT (default gpu_day_out/): results_N.json, report_N.txt, log_N.txt.
# BUDGET: seconds of the whole command (default below). PATIENCE: each part may take so many times
# its seconds, as on a slow CPU. PYTHON: the interpreter. A part's name after the number runs that
# part alone: bash .gpu_day/run.sh 1 --tiny agreement
set -uo pipefail
number=${1:?1, 2 or 3}
shift
export GPU_DAY_NUMBER=$number GPU_DAY_TINY=0 PYTHONUNBUFFERED=1
if [ "${1:-}" = --tiny ]; then
    export GPU_DAY_TINY=1
    shift
fi
only=${1:-}
python=${PYTHON:-python3}
case $number in
1 | 2) budget=${BUDGET:-540} ;;
3) budget=${BUDGET:-560} ;;
*) echo "there are commands 1, 2 and 3, and not $number" >&2 && exit 2 ;;
esac
if [ ! -f benchmarks/gpu_day/parts/common.py ]; then
    echo "run it in the project's root" >&2
    exit 2
fi
GPU_DAY_KIT=$(cd "$(dirname "$0")" && pwd)
export GPU_DAY_KIT
export OUT=${OUT:-$PWD/gpu_day_out}
export GPU_DAY_WORK=${GPU_DAY_WORK:-${TMPDIR:-/tmp}/gpu_day}
export HARNESS_CACHE=${HARNESS_CACHE:-$GPU_DAY_WORK/cache}
started=$(date +%s)
export GPU_DAY_DEADLINE=$((started + budget))
mkdir -p "$OUT" "$GPU_DAY_WORK"
exec > >(tee -a "$OUT/log_$number.txt") 2>&1

# What the machine lacks comes as wheels; the project itself from the tree, else as its own wheel.
if [ -d "$GPU_DAY_KIT/wheels" ] && [ "$GPU_DAY_TINY" = 0 ]; then
    site=$GPU_DAY_WORK/site
    pip=("$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade)
    pip+=(--target "$site")
    wheels=()
    own=()
    for wheel in "$GPU_DAY_KIT"/wheels/*.whl; do
        case $wheel in */mmreid_harness-*) own+=("$wheel") ;; *) wheels+=("$wheel") ;; esac
    done
    "${pip[@]}" "${wheels[@]}" || exit 1
    "${pip[@]}" --no-build-isolation . || "${pip[@]}" "${own[@]}" || exit 1
    export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH} PATH=$site/bin:$PATH
fi
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}

# part SECONDS NAME WORD...: no part takes more than its seconds or what is left.
part() {
    local most=$1 name=$2 code before rest
    shift 2
    [ -z "$only" ] || [ "$only" = "$name" ] || return 0
    before=$(date +%s)
    rest=$((GPU_DAY_DEADLINE - before))
    most=$((most * ${PATIENCE:-1}))
    ((rest < most)) && most=$rest
    code=124
    if ((most >= 10)); then
        timeout -k 5 "$most" "$python" -m "benchmarks.gpu_day.parts.$name" "$@"
        code=$?
    fi
    "$python" -m benchmarks.gpu_day.parts.common "$name${*:+ $*}" $code $(($(date +%s) - before))
}

case $number in
1)
    part 90 environment
    part 200 first
    # None of these times anything, so they may share the machine.
    (
        part 110 suite
        part 110 conformance
        part 110 processes
    ) &
    beside=$!
    part 160 agreement
    part 180 resume
    part 90 determinism
    wait "$beside"
    ;;
2)
    part 420 speed
    part 200 graphs
    ;;
3)
    part 430 training fast 420
    part 150 scoring
    part 300 training exact 280
    ;;
esac
# What may be wanted besides: the logs of the runs and their records, without weights.
(cd "$GPU_DAY_WORK" && find . -name record.json -o -name train.jsonl -o -path './log/*.txt' |
    tar czf "$OUT/records_$number.tar.gz" -T - 2>/dev/null)
echo "command $number took $(($(date +%s) - started)) s of $budget"
ls -la "$OUT"
