#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Accuracy against the truth over the regression set: shared scans where they are there, and simulated ones by seed.
#
#   bash bench/accuracy.sh [--list] [SCENARIO...]     (default: all)
#
# Prints a row per scenario and writes results/<device>/accuracy.json (when all ran). See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/scenarios.sh
. "$(dirname "${BASH_SOURCE[0]}")/scenarios.sh"

if [[ ${1:-} == --list ]]; then
	printf '%s\n' "${scenarios[@]}"
	exit 0
fi
[[ ${1:-} != -* ]] || die "unknown option $1 (--list lists the scenarios)"
wanted=("$@")
for name in "${wanted[@]}"; do
	is_scenario "$name" || die "$name: no such scenario (--list lists them)"
done
[[ ${#wanted[@]} -gt 0 ]] || wanted=("${scenarios[@]}")

bench_begin
folders=()
for name in "${wanted[@]}"; do
	dataset=$(dataset_of "$name")
	if [[ -z $dataset ]]; then
		say "$name left out: $shared does not have it"
		continue
	fi
	measure "$name" "$dataset"
	folders+=("$work/$name")
done
[[ ${#folders[@]} -gt 0 ]] || die "none of the scenarios is there"
out=$(bench_results_of "${folders[0]}/replay.json")/accuracy.json
[[ $# == 0 ]] || out=$work/accuracy.json # a part of the set does not replace the whole
"$figures" accuracy "$(bench_commit)" "$(bench_date)" "$out" "${folders[@]}"
