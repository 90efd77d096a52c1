#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What it costs to follow the surface while scanning, and how far behind it is.
#
#   bash bench/live.sh [--repeats N] [DATASET [OPTION...]]
#
# DATASET: a folder that `enamel replay` reads; without it ../shared/data/sim/cast where it is there, else a simulated arch.
# Scans with and without following take turns at 30 and 60 frames/s and as fast as they go (enamel-live, whose options may
# follow). Prints a table and writes results/<device>/live-surface.json (live-surface-<dataset>.json for a dataset that was
# named). See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

repeats=3
if [[ ${1:-} == --help ]]; then
	sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
if [[ ${1:-} == --repeats ]]; then
	repeats=${2:-}
	[[ $repeats =~ ^[1-9]$ ]] || die "--repeats: wanted a number from 1 to 9"
	shift 2
fi
[[ ${1:-} != -* ]] || die "unknown option $1 (options of enamel-live stand behind the dataset)"
bench_begin
if [[ -n ${ENAMEL_BIN:-} ]]; then
	live=$ENAMEL_BIN/enamel-live
else
	bash "$root/host/setup.sh" "$root/build" -- enamel-live >&2
	live=$root/build/bench/enamel-live
fi
[[ -x $live ]] || die "no enamel-live in $(dirname "$live")"
name="live-surface"
if [[ $# -gt 0 ]]; then
	dataset=$1
	shift
	[[ -d $dataset ]] || die "$dataset: no such folder"
	name=live-surface-$(basename "$dataset")
elif [[ -d $shared/sim/cast ]]; then
	dataset=$shared/sim/cast
else
	dataset=$(simulated arch arch --seed 1 --speed-mm-s 12)
fi
"$live" "$dataset" --repeats "$repeats" --commit "$(bench_commit)" --date "$(bench_date)" --json "$work/live.json" "$@"
mv "$work/live.json" "$(bench_results_of "$work/live.json")/$name.json"
