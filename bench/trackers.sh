#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The two trackers on the same frames: direct alignment to the distance field, and point-to-plane against a raycast.
#
#   bash bench/trackers.sh [SCENARIO...]     (default: cast crowns-lower room-50 full-passes; see accuracy.sh --list)
#
# Runs them in turns, prints a row per scenario and tracker, and writes results/<device>/trackers.json (default set).
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/scenarios.sh
. "$(dirname "${BASH_SOURCE[0]}")/scenarios.sh"

wanted=("$@")
for name in "${wanted[@]}"; do
	is_scenario "$name" || die "$name: no such scenario (accuracy.sh --list lists them)"
done
[[ ${#wanted[@]} -gt 0 ]] || wanted=(cast crowns-lower room-50 full-passes)

bench_begin
folders=()
for name in "${wanted[@]}"; do
	dataset=$(dataset_of "$name")
	if [[ -z $dataset ]]; then
		say "$name left out: $shared does not have it"
		continue
	fi
	for tracker in field raycast; do
		measure "$name-$tracker" "$dataset" --tracker "$tracker" --no-close-loops
		folders+=("$work/$name-$tracker")
	done
done
[[ ${#folders[@]} -gt 0 ]] || die "none of the scenarios is there"
out=$(bench_results_of "${folders[0]}/replay.json")/trackers.json
[[ $# == 0 ]] || out=$work/trackers.json
"$figures" accuracy "$(bench_commit)" "$(bench_date)" "$out" "${folders[@]}"
