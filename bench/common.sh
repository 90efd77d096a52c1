# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share; they source it. ENAMEL_BIN names a folder that holds enamel, enamel-figures
# and enamel-frames ready-made (the bundle does so); without it they are built. ENAMEL_RESULTS is where results go.

bench_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$bench_folder/.." && pwd)
results=${ENAMEL_RESULTS:-$bench_folder/results}
shared=${ENAMEL_SHARED_DATA:-$root/../shared/data}
enamel=
figures=
frames=

die() {
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
	exit 2
}

say() {
	printf '%s\n' "$*" >&2
}

# Finds or builds the programs; sets `enamel`, `figures`, `frames`, `data` (made datasets, kept) and `work` (removed at the end).
bench_begin() {
	if [[ -n ${ENAMEL_BIN:-} ]]; then
		enamel=$ENAMEL_BIN/enamel figures=$ENAMEL_BIN/enamel-figures frames=$ENAMEL_BIN/enamel-frames
	else
		bash "$root/host/setup.sh" "$root/build" -- enamel-process enamel-simulate enamel-evaluate \
			enamel-figures enamel-frames >&2
		enamel=$root/build/host/enamel figures=$root/build/bench/enamel-figures frames=$root/build/bench/enamel-frames
	fi
	[[ -x $enamel && -x $figures ]] || die "no programs in $(dirname "$enamel")"
	data=${ENAMEL_BENCH_DATA:-$root/build/bench/data}
	mkdir -p "$data"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
}

# value FILE KEY: of a JSON file; null where there is none.
value() {
	"$figures" get "$1" "$2" 2>/dev/null || printf 'null\n'
}

# The commit that was built, with "+" when files differ from it; "unknown" outside a checkout.
bench_commit() {
	local id
	if [[ -n ${ENAMEL_COMMIT:-} ]]; then
		printf '%s\n' "$ENAMEL_COMMIT"
	elif id=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null); then
		git -C "$root" diff --quiet HEAD -- engine kernels host bench 2>/dev/null || id+=+
		printf '%s\n' "$id"
	else
		printf 'unknown\n'
	fi
}

bench_date() {
	date -u +%Y-%m-%dT%H:%M:%SZ
}

# The folder of results for the device of a report, made if need be.
bench_results_of() {
	local device
	device=$("$figures" get "$1" device | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9\n' '-' | sed 's/^-//; s/-$//')
	mkdir -p "$results/$device"
	printf '%s\n' "$results/$device"
}

# simulated NAME OPTION...: the folder of a simulated dataset, made once by `enamel simulate OPTION... FOLDER`. The
# options are part of its name, so that changed ones make another.
simulated() {
	local name=$1 folder
	shift
	folder=$data/$name-$(printf '%s ' "$("$enamel" --version)" "$@" | cksum | cut -d ' ' -f 1)
	if [[ ! -d $folder ]]; then
		say "simulating $name"
		"$enamel" simulate "$@" "$folder" >/dev/null || die "$name: cannot be simulated"
	fi
	printf '%s\n' "$folder"
}

# measure NAME DATASET OPTION...: replays from the true start and evaluates, into $work/NAME/. A scan that is not good
# enough (exit code 1) is a figure, not an end; anything else is.
measure() {
	local name=$1 dataset=$2 into=$work/$1 code=0
	shift 2
	mkdir -p "$into"
	say "replaying $name"
	"$enamel" replay "$dataset" --out "$into/scan.ply" --trajectory "$into/trajectory.txt" --report "$into/replay.json" \
		--start-at-truth "$@" >"$into/log" 2>&1 || code=$?
	if [[ $code -gt 1 ]]; then
		tail -n 3 "$into/log" >&2
		die "$name: replay ended with exit code $code"
	fi
	[[ -f $into/scan.ply && -f $into/trajectory.txt ]] || return 0
	say "evaluating $name"
	"$enamel" evaluate "$into/scan.ply" --dataset "$dataset" --trajectory "$into/trajectory.txt" \
		--fused "$into/replay.json" --report "$into/evaluate.json" \
		>"$into/log" 2>&1 || { code=$? && tail -n 3 "$into/log" >&2; }
	[[ $code -le 1 ]] || die "$name: evaluate ended with exit code $code"
}
