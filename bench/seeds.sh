# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Scenarios by seed: simulated, replayed, judged and kept, so that a run can be stopped and gone on with. A script that sources this sets
#
#   simulated_ones    scenarios that have seeds, in the order within a seed
#   recorded          those that have none (may be empty)
#   figures_from, figures_to    the seeds that figures are made of
#   options_of SCENARIO SEED    what `enamel simulate` is given, a word a line
#   measure_one SCENARIO NAME DATASET    fills $work/NAME
#
# and calls seeds_main TABLE OPTION...; TABLE is what enamel-figures calls it, and the result's name.

minutes=45 add='' keep='' record='' table='' wanted=() added=() whole=''

seeds_usage() {
	sed -n '3,/^set -/{s/^# \{0,1\}//p}' "$0"
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

parse_options() {
	from=$figures_from to=$figures_to
	while [[ $# -gt 0 ]]; do
		case $1 in
		--seeds | --minutes | --add)
			[[ $# -ge 2 ]] || die "$1: needs a value"
			if [[ $1 == --seeds ]]; then
				parse_seeds "$2"
			elif [[ $1 == --add ]]; then
				[[ -f $2 && $2 == *.json ]] || die "--add: '$2' is no result (*.json)"
				add=$2
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
			seeds_usage
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
	[[ ${#wanted[@]} -gt 0 ]] || { wanted=("${simulated_ones[@]}" "${recorded[@]}") && whole=yes; }
}

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

# is_there SCENARIO SEED (- where it has none): measured, here or in the result that is added.
is_there() {
	local name=$1
	[[ $2 == - ]] || name=$1-$2
	[[ -d $store/$name ]] || is_one_of "$1-$2" "${added[@]}"
}

# run_one SCENARIO SEED: into $store/SCENARIO-SEED, which appears when all of it is there.
run_one() {
	local scenario=$1 seed=$2 name=$1 dataset made='' words=()
	[[ $seed == - ]] || name=$scenario-$seed
	is_there "$scenario" "$seed" && return 0
	if [[ $seed == - ]]; then
		dataset=$shared/sim/$scenario
		[[ $scenario != room-50 ]] || dataset=$shared/real/$scenario
		[[ -d $dataset ]] || { say "$scenario left out: $shared does not have it" && return 0; }
	else
		mapfile -t words < <(options_of "$scenario" "$seed")
		dataset=$(simulated "$kind-$name" "${words[@]}")
		made=yes
	fi
	measure_one "$scenario" "$name" "$dataset"
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

# Prints the folders of the wanted scenarios and seeds that are there; 1 when some are neither there nor in the result that is added.
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
			elif ! is_there "$scenario" "$seed"; then
				missing=1
			fi
		done
	done
	return $missing
}

seeds_main() {
	local complete=yes out=- folders=() state first
	kind=$1
	shift
	parse_options "$@"
	bench_begin
	state=$(sources_state)
	store=${ENAMEL_SEEDS_STORE:-$root/build/bench}/$kind/$state
	if [[ -n $add ]]; then
		"$figures" get "$add" sources | grep -Fqx "$state" || die "--add: $add is not of these sources ($state)"
		mapfile -t added < <("$figures" runs "$add")
	fi
	[[ -n $table ]] || run_all
	there >"$work/folders" || complete=
	mapfile -t folders <"$work/folders"
	[[ -z $add ]] || folders+=("$add")
	[[ ${#folders[@]} -gt 0 ]] || die "nothing has been measured yet"
	if [[ -n $record || (-n $complete && -n $whole && $from -eq $figures_from && $to -eq $figures_to) ]]; then
		first=${folders[0]}
		[[ -f $first ]] || first+=/replay.json
		out=$(bench_results_of "$first")/$kind.json
	fi
	"$figures" "$kind" "$(bench_commit)" "$(bench_date)" "$state" "$out" "${folders[@]}"
	[[ $out == - ]] || say "written: $out"
	[[ -n $complete ]] || say "seeds $from to $to are not complete yet"
}
