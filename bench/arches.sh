#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Is the arch bent? Whole arches by seed: simulated, replayed with refinement and without, judged against the truth.
#
#   bash bench/arches.sh [--seeds FROM-TO] [--minutes N] [--add RESULT] [--keep] [--record] [--table] [SCENARIO...]
#
#   --seeds FROM-TO   201-210 by default, the seeds that figures are made of; lower ones are for tuning
#   --minutes N       begin nothing new after N minutes (45); run it again and it goes on where it was
#   --add RESULT      count the runs of an earlier result (*.json) of the same sources, from whichever machine, and do not repeat them
#   --keep            keep the simulated scans (about 0.1 GB each); else they are removed after use
#   --record          write results/<device>/arches.json of what there is; else only when all is there
#   --table           run nothing, print what there is
#   --list            the scenarios
#
# What was measured stays in build/bench/arches/<state of the sources>/SCENARIO-SEED. ENAMEL_REFINE is the level of refinement (standard).
# See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/seeds.sh
. "$(dirname "${BASH_SOURCE[0]}")/seeds.sh"

simulated_ones=(arch trembling prepared cast crowns rows-and-bodies no-bow phantom repeats)
recorded=()
figures_from=201 figures_to=210

# Three tilted passes, no error of gain, a bow of either sign. Jaws with gum: the built-in arch, which each seed makes anew, the same with a
# stump, a stone cast; and crowns alone. Where a real jaw is not there, the built-in one stands for it, and the phantom, which no seed changes, for
# that of `repeats`. `trembling`: by 0.05 mm rms at the camera. `no-bow`: the camera file tells all there is. `repeats`: of one scanner.
options_of() {
	local bow=5 body=(arch)
	[[ $(($2 % 2)) == 0 ]] || bow=-5
	case $1 in
	repeats) body=("$shared/jaws/cast.ply" --up y --scanner-seed 1) ;;
	trembling) body+=(--tremor-mrad 0.5) ;;
	prepared) body+=(--prepared 36) ;;
	cast) body=("$shared/jaws/cast.ply" --up y) ;;
	crowns) body=("$shared/jaws/crowns-upper.obj" --up y) ;;
	rows-and-bodies) body+=(--row-time-us 69.4 --foreign-percent 20 --foreign-rests) ;;
	no-bow) bow=0 body+=(--residual-um 0) ;;
	phantom) body=(phantom) ;;
	esac
	if [[ ${body[0]} == */* && ! -f ${body[0]} ]]; then
		say "$1: ${body[0]} is not there: a built-in body stands for it"
		body=(arch)
		[[ $1 != repeats ]] || body=(phantom --scanner-seed 1)
	fi
	printf '%s\n' "${body[@]}" --path passes --no-gain --bow-um "$bow" --seed "$2"
}

# also_measured INTO PART NAME DATASET OPTION...: as `measure`, of which the evaluation alone is kept, as PART of INTO.
also_measured() {
	local into=$work/$1 part=$2 name=$3
	shift 2
	measure "$@"
	[[ ! -f $work/$name/evaluate.json ]] || mv "$work/$name/evaluate.json" "$into/$part"
	rm -rf "${work:?}/$name"
}

# Four more scans of what was scanned, by the same scanner: how far the surfaces of the five differ.
measure_repeats() {
	local name=$1 seed=${1##*-} n dataset words=() models=("$work/$1/scan.ply")
	for n in 1 2 3 4; do
		mapfile -t words < <(options_of repeats $((seed + 1000 * n)))
		dataset=$(simulated "$kind-$name-$n" "${words[@]}")
		measure "$name-$n" "$dataset" --refine "${ENAMEL_REFINE:-standard}"
		[[ -n $keep ]] || rm -rf "$dataset"
		models+=("$work/$name-$n/scan.ply")
	done
	"$enamel" evaluate --repeats "${models[@]}" --report "$work/$name/repeats.json" >/dev/null ||
		say "$name: the repeats cannot be compared" # the figure is not there then, and missed
	rm -rf "$work/$name"-[1-4]
}

measure_one() {
	local scenario=$1 name=$2 dataset=$3 refine=(--refine "${ENAMEL_REFINE:-standard}")
	measure "$name" "$dataset" "${refine[@]}"
	cp "$dataset/truth.json" "$work/$name/"
	case $scenario in
	rows-and-bodies) ;;
	repeats) measure_repeats "$name" ;;
	no-bow) also_measured "$name" alone.json "$name-alone" "$dataset" "${refine[@]}" --poses-only ;;&
	*) also_measured "$name" live.json "$name-live" "$dataset" ;;
	esac
}

seeds_main arches "$@"
