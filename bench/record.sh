#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What it costs to record: MB/s, how much packing saves and takes, the share of one core at 70 frames/s.
#
#   bash bench/record.sh [DATASET [OPTION...]]
#
# DATASET: a folder or recording whose frames are recorded again and again; without it a simulated scan of 640x480 pixels
# with colour. Options are those of enamel-recording. Prints a table and writes results/<device>/recording.json
# (recording-<dataset>.json for a dataset that was named). See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == --help ]]; then
	sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
[[ ${1:-} != -* ]] || die "unknown option $1 (options of enamel-recording stand behind the dataset)"
bench_begin
if [[ -n ${ENAMEL_BIN:-} ]]; then
	recording=$ENAMEL_BIN/enamel-recording
else
	bash "$root/host/setup.sh" "$root/build" -- enamel-recording >&2
	recording=$root/build/bench/enamel-recording
fi
[[ -x $recording ]] || die "no enamel-recording in $(dirname "$recording")"
name=recording
if [[ $# -gt 0 ]]; then
	dataset=$1
	shift
	[[ -e $dataset ]] || die "$dataset: missing"
	name=recording-$(basename "$dataset" .enmrec)
else
	dataset=$(simulated recording arch --seed 1 --size 640x480 --fps 70 --color --frames 60)
fi
"$recording" "$dataset" --file "$work/bench.enmrec" --commit "$(bench_commit)" --date "$(bench_date)" \
	--json "$work/recording.json" "$@"
mv "$work/recording.json" "$(bench_results_of "$work/recording.json")/$name.json"
