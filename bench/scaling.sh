#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How the cost of a frame grows with the pixels, with the surface in view, and with the model's size.
#
#   bash bench/scaling.sh [--rounds N] [FRAMES_OPTION...]
#
# Simulates one pass over half of an arch (the base), the same at four times the pixels, and one over the whole arch;
# measures them in turns, the base and the whole at half the voxel too. Prints a table that holds each case against the
# base and writes results/<device>/scaling.json. Some ten minutes on two cores. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=3
if [[ ${1:-} == --help ]]; then
	sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
if [[ ${1:-} == --rounds ]]; then
	rounds=${2:-}
	[[ $rounds =~ ^[1-9]$ ]] || die "--rounds: wanted a number from 1 to 9"
	shift 2
fi
bench_begin
[[ -x $frames ]] || die "no enamel-frames in $(dirname "$frames")"
# ENAMEL_SCALING_SCAN: more options for the simulator, such as a coarse jaw and few frames, for tests.
scan=(--seed 1 --path occlusal --speed-mm-s 13)
read -r -a more <<<"${ENAMEL_SCALING_SCAN:-}"
scan+=("${more[@]}")
quadrant=$(simulated scaling-quadrant arch "${scan[@]}" --to-percent 50)
large=$(simulated scaling-large arch "${scan[@]}" --to-percent 50 --size 640x480)
arch=$(simulated scaling-arch arch "${scan[@]}")

# measure_case LABEL DATASET OPTION...
measure_case() {
	local label=$1 dataset=$2
	shift 2
	"$frames" "$dataset" --label "$label" --json "$work/$label-$round.json" --repeats 1 --warm-up 10 --rates off "$@" >"$work/log"
	files+=("$work/$label-$round.json")
}

files=()
for ((round = 1; round <= rounds; round++)); do
	say "round $round of $rounds"
	measure_case quadrant "$quadrant" "$@"
	measure_case quadrant-640x480 "$large" "$@"
	measure_case quadrant-half-voxel "$quadrant" "$@" --voxel-mm 0.05
	measure_case arch "$arch" "$@"
	measure_case arch-half-voxel "$arch" "$@" --voxel-mm 0.05
done
out=$(bench_results_of "${files[0]}")/scaling.json
"$figures" scaling "$(bench_commit)" "$(bench_date)" "$out" "${files[@]}"
