#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Speed of the frame loop: times of a frame and its stages, frames a second, memory, cold and warm start.
#
#   bash bench/run.sh [--runs N] [DATASET [REPLAY_OPTION...]]
#
# DATASET: a folder that `enamel replay` reads, or "arch" for a simulated one; without it ../shared/data/sim/cast where it
# is there, else arch. Prints a table and writes results/<device>/<dataset>.json. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

runs=3
if [[ ${1:-} == --help ]]; then
	sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
if [[ ${1:-} == --runs ]]; then
	runs=${2:-}
	[[ $runs =~ ^[1-9][0-9]?$ ]] || die "--runs: wanted a number from 1 to 99"
	shift 2
fi
bench_begin
if [[ $# -gt 0 && $1 != arch ]]; then
	dataset=$1
	shift
elif [[ $# -gt 0 ]]; then
	shift
	dataset=$(simulated arch arch --seed 1 --speed-mm-s 12)
elif [[ -d $shared/sim/cast ]]; then
	dataset=$shared/sim/cast
else
	dataset=$(simulated arch arch --seed 1 --speed-mm-s 12)
fi
[[ -d $dataset ]] || die "$dataset: no such folder"
# The name of a dataset is its folder's, without the number that `simulated` puts behind.
name=$(basename "$dataset" | sed 's/-[0-9]\{6,\}$//')

replay() {
	local report=$1 code=0
	shift
	"$enamel" replay "$dataset" --out "$work/scan.ply" --report "$report" "$@" >"$work/log" 2>&1 || code=$?
	if [[ $code -gt 1 ]]; then
		tail -n 3 "$work/log" >&2
		die "$name: replay ended with exit code $code"
	fi
}

# A cold start builds the kernels: neither our cache nor that of the driver knows them.
export ENAMEL_CACHE_DIR=$work/cache POCL_CACHE_DIR=$work/pocl CUDA_CACHE_PATH=$work/cuda MESA_SHADER_CACHE_DIR=$work/mesa
mkdir -p "$POCL_CACHE_DIR" "$CUDA_CACHE_PATH" "$MESA_SHADER_CACHE_DIR"
say "cold start"
replay "$work/cold.json" "$@" --frames 0:3
say "warm start"
replay "$work/warm.json" "$@" --frames 0:3
for ((i = 1; i <= runs; i++)); do
	say "run $i of $runs"
	replay "$work/run$i.json" "$@"
done
out=$(bench_results_of "$work/run1.json")/$name.json
"$figures" speed "$(bench_commit)" "$(bench_date)" "$name" "$out" "$work/cold.json" "$work/warm.json" "$work"/run[0-9]*.json
