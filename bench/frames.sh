#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Times of the frame loop on frames that lie in memory, and each stage beside the least that it could take.
#
#   bash bench/frames.sh [--repeats N] [DATASET [FRAMES_OPTION...]]
#
# DATASET: a folder that `enamel replay` reads, or "arch" for a simulated one; without it ../shared/data/sim/cast where it
# is there, else arch. Runs enamel-frames at the default voxel and at half of it, prints its tables, and writes
# results/<device>/frames.json (frames-<dataset>.json for a dataset that was named). See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

repeats=5
if [[ ${1:-} == --help ]]; then
	sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
if [[ ${1:-} == --repeats ]]; then
	repeats=${2:-}
	[[ $repeats =~ ^[1-9][0-9]?$ ]] || die "--repeats: wanted a number from 1 to 99"
	shift 2
fi
[[ ${1:-} != -* ]] || die "unknown option $1 (options of enamel-frames stand behind the dataset)"
bench_begin
[[ -x $frames ]] || die "no enamel-frames in $(dirname "$frames")"
into=frames
if [[ ${1:-arch} != arch ]]; then
	dataset=$1
	[[ -d $dataset ]] || die "$dataset: no such folder"
	into=frames-$(basename "$dataset" | sed 's/-[0-9]\{6,\}$//')
elif [[ $# == 0 && -d $shared/sim/cast ]]; then
	dataset=$shared/sim/cast
else
	dataset=$(simulated arch arch --seed 1 --speed-mm-s 12)
fi
[[ $# == 0 ]] || shift

measure_at() {
	local label=$1
	shift
	say "$label"
	"$frames" "$dataset" --repeats "$repeats" --label "$label" --json "$work/$label.json" "$@"
	printf '\n'
}

measure_at default "$@"
# as a decimal number: the report's may have an exponent
half=$("$figures" get "$work/default.json" voxel_mm | awk '{ printf "%.6f", $1 / 2 }')
measure_at half-voxel "$@" --voxel-mm "$half"
out=$(bench_results_of "$work/default.json")/$into.json
"$figures" frames "$(bench_commit)" "$(bench_date)" "$out" "$work/default.json" "$work/half-voxel.json"
