# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# The regression set of accuracy.sh. A scenario keeps its seed and options for good, so that figures can be compared.

scenarios=(cast crowns-lower cast-events quadrant-color room-50 full-passes full-wave quadrant-preparation toothless
	lift-offs foreign-bodies double-speed phantom wet)

is_scenario() {
	local name
	for name in "${scenarios[@]}"; do
		[[ $name != "$1" ]] || return 0
	done
	return 1
}

# The folder of a scenario's dataset, simulated if need be; nothing when it is a shared one that is not here.
dataset_of() {
	case $1 in
	cast | crowns-lower | cast-events | quadrant-color) [[ ! -d $shared/sim/$1 ]] || printf '%s\n' "$shared/sim/$1" ;;
	room-50) [[ ! -d $shared/real/$1 ]] || printf '%s\n' "$shared/real/$1" ;;
	phantom) simulated "$1" phantom --seed 7 --speed-mm-s 12 ;;
	*) simulated "$1" arch --scenario "$1" --seed 7 ;;
	esac
}

# compare_ways SCRIPT RESULT DEFAULT_SET NAME:OPTIONS... -- SCENARIO...: the same frames replayed in several ways, in turns; a row for each, and
# results/<device>/RESULT.json of the default set.
compare_ways() {
	local script=$1 result=$2 set=$3 ways=() folders=() wanted=() name dataset way options out
	shift 3
	while [[ $1 != -- ]]; do
		ways+=("$1")
		shift
	done
	shift
	wanted=("$@")
	if [[ ${1:-} == --help ]]; then
		sed -n '3,7s/^# \{0,1\}//p' "$script"
		exit 0
	fi
	for name in "${wanted[@]}"; do
		is_scenario "$name" || die "$name: no such scenario (accuracy.sh --list lists them)"
	done
	[[ ${#wanted[@]} -gt 0 ]] || read -r -a wanted <<<"$set"
	bench_begin
	for name in "${wanted[@]}"; do
		dataset=$(dataset_of "$name")
		if [[ -z $dataset ]]; then
			say "$name left out: $shared does not have it"
			continue
		fi
		for way in "${ways[@]}"; do
			read -r -a options <<<"${way#*:}"
			measure "$name-${way%%:*}" "$dataset" "${options[@]}"
			folders+=("$work/$name-${way%%:*}")
		done
	done
	[[ ${#folders[@]} -gt 0 ]] || die "none of the scenarios is there"
	out=$(bench_results_of "${folders[0]}/replay.json")/$result.json
	[[ $# == 0 ]] || out=$work/$result.json
	"$figures" accuracy "$(bench_commit)" "$(bench_date)" "$out" "${folders[@]}"
}
