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
