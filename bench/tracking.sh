#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Does tracking hold, say so when it does not, and find its way back? Scenarios by seed, simulated, replayed and judged.
#
#   bash bench/tracking.sh [--seeds FROM-TO] [--minutes N] [--keep] [--record] [--table] [SCENARIO...]
#
#   --seeds FROM-TO   104-123 by default, the seeds that figures are made of; lower ones are for tuning
#   --minutes N       begin nothing new after N minutes (45); run it again and it goes on where it was
#   --keep            keep the simulated scans (about 0.1 GB each); else they are removed after use
#   --record          write results/<device>/tracking.json of what there is; else only when all is there
#   --table           run nothing, print what there is
#   --list            the scenarios
#
# What was measured stays in build/bench/tracking/<state of the sources>/SCENARIO-SEED. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The order within a seed; the recorded ones have none.
simulated_ones=(clean double-speed-rows re-entries other-jaw mirrored-arch opposite-side foreign-30 smooth-ridge
	smooth-ridge-color interruptions)
recorded=(cast-events crowns-lower room-50)

from=104 to=123 minutes=45 keep='' record='' table=''

usage() {
	sed -n '3,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

parse_seeds() {
	[[ $1 =~ ^([0-9]{1,6})-([0-9]{1,6})$ ]] || die "--seeds: '$1' is not FROM-TO"
	from=$((10#${BASH_REMATCH[1]})) to=$((10#${BASH_REMATCH[2]}))
	[[ $from -le $to ]] || die "--seeds: $from is above $to"
}

is_one_of() {
	local name=$1 one
	shift
	for one in "$@"; do
		[[ $one != "$name" ]] || return 0
	done
	return 1
}

wanted=()
while [[ $# -gt 0 ]]; do
	case $1 in
	--seeds | --minutes)
		[[ $# -ge 2 ]] || die "$1: needs a value"
		if [[ $1 == --seeds ]]; then
			parse_seeds "$2"
		else
			[[ $2 =~ ^[0-9]{1,4}$ ]] || die "--minutes: '$2' is no number of minutes"
			minutes=$((10#$2))
		fi
		shift
		;;
	--keep) keep=yes ;;
	--record) record=yes ;;
	--table) table=yes ;;
	--list)
		printf '%s\n' "${simulated_ones[@]}" "${recorded[@]}"
		exit 0
		;;
	--help)
		usage
		exit 0
		;;
	-*) die "unknown option $1 (--help lists them)" ;;
	*)
		is_one_of "$1" "${simulated_ones[@]}" "${recorded[@]}" || die "$1: no such scenario (--list lists them)"
		wanted+=("$1")
		;;
	esac
	shift
done
whole=
[[ ${#wanted[@]} -gt 0 ]] || { wanted=("${simulated_ones[@]}" "${recorded[@]}") && whole=yes; }

# What the results depend on: other sources, other folder.
sources_state() {
	local id
	if [[ -n ${ENAMEL_COMMIT:-} ]]; then
		printf '%s\n' "$ENAMEL_COMMIT"
	elif id=$(git -C "$root" log -1 --format=%h -- engine kernels host CMakeLists.txt ':!*.md' 2>/dev/null) && [[ -n $id ]]; then
		git -C "$root" diff --quiet HEAD -- engine kernels host CMakeLists.txt ':!*.md' ||
			id+=+$(git -C "$root" diff HEAD -- engine kernels host CMakeLists.txt ':!*.md' | cksum | cut -d ' ' -f 1)
		printf '%s\n' "$id"
	else
		printf 'unknown\n'
	fi
}

# The three paths in turn, and over every three seeds another arch: the built-in one, which each seed makes anew, and
# two real ones where they are there.
clean_options() {
	local seed=$1 paths=(passes wave halves) body=(arch)
	case $((seed / 3 % 3)) in
	1) body=("$shared/jaws/cast.ply" --up y) ;;
	2) body=("$shared/jaws/crowns-lower.obj" --up y) ;;
	esac
	[[ ${body[0]} == arch || -f ${body[0]} ]] || body=(arch)
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

# run_one SCENARIO SEED: into $store/SCENARIO-SEED, which appears when all of it is there.
run_one() {
	local scenario=$1 seed=$2 name=$1 dataset made='' words=()
	[[ $seed == - ]] || name=$scenario-$seed
	[[ ! -d $store/$name ]] || return 0
	if [[ $seed == - ]]; then
		dataset=$shared/sim/$scenario
		[[ $scenario != room-50 ]] || dataset=$shared/real/$scenario
		[[ -d $dataset ]] || { say "$scenario left out: $shared does not have it" && return 0; }
	else
		mapfile -t words < <(options_of "$scenario" "$seed")
		dataset=$(simulated "tracking-$name" "${words[@]}")
		made=yes
	fi
	measure "$name" "$dataset"
	[[ -z $made || -n $keep ]] || rm -rf "$dataset"
	rm -f "$work/$name"/{scan.ply,trajectory.txt,log}
	mkdir -p "$store"
	rm -rf "$store/.$name" # a name of its own, so that runs over other seeds may go beside this one
	mv "$work/$name" "$store/.$name"
	mv "$store/.$name" "$store/$name"
}

run_all() {
	local seed scenario begun=$SECONDS
	for ((seed = from - 1; seed <= to; seed++)); do # the recorded ones before the first seed
		for scenario in "${wanted[@]}"; do
			[[ $((SECONDS - begun)) -lt $((60 * minutes)) ]] ||
				{ say "$minutes minutes are over: run it again to go on" && return 0; }
			if is_one_of "$scenario" "${recorded[@]}"; then
				[[ $seed -ge $from ]] || run_one "$scenario" -
			elif [[ $seed -ge $from ]]; then
				run_one "$scenario" "$seed"
			fi
		done
	done
}

# Prints the folders of the wanted scenarios and seeds that are there; 1 when some are not.
there() {
	local seed scenario missing=0
	for scenario in "${wanted[@]}"; do
		if is_one_of "$scenario" "${recorded[@]}"; then
			[[ -d $store/$scenario ]] && printf '%s\n' "$store/$scenario"
			continue
		fi
		for ((seed = from; seed <= to; seed++)); do
			if [[ -d $store/$scenario-$seed ]]; then
				printf '%s\n' "$store/$scenario-$seed"
			else
				missing=1
			fi
		done
	done
	return $missing
}

bench_begin
store=${ENAMEL_TRACKING_STORE:-$root/build/bench/tracking}/$(sources_state)
[[ -n $table ]] || run_all
complete=yes
there >"$work/folders" || complete=
mapfile -t folders <"$work/folders"
[[ ${#folders[@]} -gt 0 ]] || die "nothing has been measured yet"
out=-
if [[ -n $record || (-n $complete && -n $whole && $from -eq 104 && $to -eq 123) ]]; then
	out=$(bench_results_of "${folders[0]}/replay.json")/tracking.json
fi
"$figures" tracking "$(bench_commit)" "$(bench_date)" "$out" "${folders[@]}"
[[ $out == - ]] || say "written: $out"
[[ -n $complete ]] || say "seeds $from to $to are not complete yet"
