#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Does tracking hold, say so when it does not, and find its way back? Scenarios by seed, simulated, replayed and judged.
#
#   bash bench/tracking.sh [--seeds FROM-TO] [--minutes N] [--add RESULT] [--keep] [--record] [--table] [SCENARIO...]
#
#   --seeds FROM-TO   341-360 by default, the seeds that figures are made of; lower ones are for tuning
#   --minutes N       begin nothing new after N minutes (45); run it again and it goes on where it was
#   --add RESULT      count the runs of an earlier result (*.json) of the same sources, from whichever machine, and do not repeat them
#   --keep            keep the simulated scans (about 0.1 GB each); else they are removed after use
#   --record          write results/<device>/tracking.json of what there is; else only when all is there
#   --table           run nothing, print what there is
#   --list            the scenarios
#
# What was measured stays in build/bench/tracking/<state of the sources>/SCENARIO-SEED. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/seeds.sh
. "$(dirname "${BASH_SOURCE[0]}")/seeds.sh"

simulated_ones=(clean double-speed-rows re-entries other-jaw mirrored-arch opposite-side foreign-30 smooth-ridge
	smooth-ridge-color interruptions)
recorded=(cast-events crowns-lower room-50)
figures_from=341 figures_to=360

# The three paths in turn, and over every three seeds another arch: the built-in one, which each seed makes anew, and
# two real ones where they are there.
clean_options() {
	local seed=$1 paths=(passes wave halves) body=(arch)
	case $((seed / 3 % 3)) in
	1) body=("$shared/jaws/cast.ply" --up y) ;;
	2) body=("$shared/jaws/crowns-lower.obj" --up y) ;;
	esac
	if [[ ${body[0]} != arch && ! -f ${body[0]} ]]; then
		say "clean: ${body[0]} is not there: the built-in arch stands for it"
		body=(arch)
	fi
	printf '%s\n' "${body[@]}" --path "${paths[$((seed % 3))]}"
}

# What enamel simulate is given, a word a line. Where half an arch shows the same as a whole, it is half an arch.
options_of() {
	case $1 in
	clean) clean_options "$2" ;;
	double-speed-rows) printf '%s\n' arch --scenario "$1" ;;
	other-jaw | mirrored-arch | opposite-side) printf '%s\n' arch --scenario "$1" ;;
	*) printf '%s\n' arch --scenario "$1" --to-percent 55 ;;
	esac
	printf '%s\n' --seed "$2"
}

measure_one() {
	measure "$2" "$3"
}

seeds_main tracking "$@"
