#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a tracked frame costs beside an earlier commit: both programs in turns on the same frames, compared pair by pair.
#
#   bash bench/cost.sh COMMIT [--pairs N] [DATASET [FRAMES_OPTION...]]
#
# COMMIT is built in build/bench/cost. DATASET: ../shared/data/sim/cast, frames 0 to 299, by default. ENAMEL_COST_BASE names an
# enamel-frames to compare with instead of building one. Prints the ratios now / then of N pairs (10), and writes
# results/<device>/cost.json. The machine should have nothing else to do; a pair takes some 15 seconds. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
	sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

pairs=10
if [[ ${1:-} == --help ]]; then
	usage
	exit 0
fi
[[ ${1:-} != -* && -n ${1:-} ]] || die "no commit to compare with (--help tells more)"
commit=$1
shift
if [[ ${1:-} == --pairs ]]; then
	pairs=${2:-}
	[[ $pairs =~ ^[1-9][0-9]?$ ]] || die "--pairs: wanted a number from 1 to 99"
	shift 2
fi
[[ ${1:-} != -* ]] || die "unknown option $1 (options of enamel-frames stand behind the dataset)"

build_base() {
	local id clone
	id=$(git -C "$root" rev-parse --verify --quiet "$commit^{commit}") || die "$commit: no such commit"
	clone=$root/build/bench/cost/$id
	if [[ ! -d $clone ]]; then
		mkdir -p "${clone%/*}"
		git clone --quiet --no-checkout "$root" "$clone" || die "$commit: cannot be cloned"
		git -C "$clone" checkout --quiet "$id"
	fi
	bash "$clone/host/setup.sh" "$clone/build" -- enamel-frames >&2
	base=$clone/build/bench/enamel-frames
}

bench_begin
base=${ENAMEL_COST_BASE:-}
[[ -n $base ]] || build_base
[[ -x $frames && -x $base ]] || die "no enamel-frames in $(dirname "$frames") or $(dirname "$base")"
what=("$@")
[[ $# -gt 0 ]] || what=("$shared/sim/cast" --frames 0:300)
[[ -e ${what[0]} ]] || die "${what[0]}: no such dataset"

# run WHO PROGRAM PAIR
run() {
	"$2" "${what[@]}" --repeats 1 --rates off --stage-times off --json "$work/$1-$3.json" >"$work/log" ||
		{ tail -n 3 "$work/log" >&2 && die "$2 failed"; }
}

# ratios KEY: now / then of each pair, ascending
ratios() {
	local pair
	for ((pair = 1; pair <= pairs; pair++)); do
		printf '%s %s\n' "$("$figures" get "$work/now-$pair.json" "$1")" "$("$figures" get "$work/then-$pair.json" "$1")"
	done | awk '$2 > 0 { printf "%.4f\n", $1 / $2 }' | sort -n
}

# summary KEY: {"median": ..., "min": ..., "max": ..., "pairs": ...}
summary() {
	ratios "$1" | awk '{ r[NR] = $1 } END {
		if (!NR) exit 1
		printf "{\"median\": %.4f, \"min\": %.4f, \"max\": %.4f, \"pairs\": %d}", (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2, r[1], r[NR], NR }'
}

for ((pair = 1; pair <= pairs; pair++)); do
	say "pair $pair of $pairs"
	run then "$base" "$pair"
	run now "$frames" "$pair"
done
out=$(bench_results_of "$work/now-1.json")/cost.json
{
	printf '{\n  "date": "%s",\n  "commit": "%s",\n  "against": "%s",\n  "dataset": "%s",\n' \
		"$(bench_date)" "$(bench_commit)" "$commit" "$(basename "${what[0]}")"
	for key in device platform driver; do
		printf '  "%s": "%s",\n' "$key" "$("$figures" get "$work/now-1.json" "$key")"
	done
	printf '  "serial_least_ms": %s,\n' "$(summary serial_ms.least.median)"
	printf '  "serial_cpu_ms": %s,\n' "$(summary serial_ms.cpu_ms_a_frame)"
	printf '  "stream_cpu_ms": %s\n}\n' "$(summary latency_ms.cpu_ms_a_frame)"
} >"$work/cost.json"
mv "$work/cost.json" "$out"
printf 'now / %s, median of %s pairs (least to greatest):\n' "$commit" "$pairs"
for key in serial_least_ms serial_cpu_ms stream_cpu_ms; do
	printf '  %-16s %.3f (%.3f to %.3f)\n' "$key" "$("$figures" get "$out" $key.median)" "$("$figures" get "$out" $key.min)" "$("$figures" get "$out" $key.max)"
done
say "written: $out"
