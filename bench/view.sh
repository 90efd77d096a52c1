#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What it costs a scan at 30 frames/s to be looked at, and how many pictures a second there are.
#
#   bash bench/view.sh [SECONDS [SOURCE]]
#
# SECONDS: of each scan (default 60). SOURCE: as of enamel live (default sim: rendered into memory before the clock starts). Two scans without a
# window and two with one of 960x584, whose pictures have 960x540, take turns on a display of Xvfb's, drawn by Mesa's software OpenGL: what
# these two take counts too. Prints a line a scan and writes results/<device>/view.json, with the load of the machine before each. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == --help ]]; then
	sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
seconds=${1:-60}
source=${2:-sim}
fps=30
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "SECONDS: '$seconds' is no number above 0"
command -v xvfb-run >/dev/null || die "xvfb-run is not installed (Debian: xvfb, xauth)"
bench_begin

# scan NAME COMMAND...: a live scan by the command, as one JSON object in $work/NAME.json.
scan() {
	local name=$1 code=0 session=$work/$1 load shown key name_of
	shift
	load=$(cut -d ' ' -f 1 /proc/loadavg)
	say "$name: $seconds s at $fps frames/s"
	"$@" live --source "$source" --session "$session" --fps "$fps" --duration "$seconds" --hang-s 120 "${view[@]}" >"$work/log" 2>&1 || code=$?
	report=$session/report.json # of the last one the device is told below
	if [[ $code -gt 1 || ! -f $report ]] || grep -q 'without a window' "$work/log"; then
		tail -n 3 "$work/log" >&2
		die "$name: live ended with exit code $code"
	fi
	rm -f "$session/scan.enmrec"
	shown=$(awk -v n="$(value "$report" live.shows)" -v c="$(value "$report" live.captured)" -v f="$fps" \
		'BEGIN { x = 0; if (c > 0) x = n * f / c; printf "%.2f", x }')
	{
		printf '{"load": %s, "pictures_per_s": %s' "$load" "$shown"
		for key in tracked weak lost live.captured live.skipped live.shows live.shows_skipped live.shown_pixels \
			live.latency_ms.pose.median live.latency_ms.pose.p95 live.latency_ms.pose.p99 live.latency_ms.pose.max \
			live.latency_ms.screen.median live.latency_ms.screen.p95; do
			name_of=${key#live.}
			printf ', "%s": %s' "${name_of//./_}" "$(value "$report" "$key")"
		done
		printf '}'
	} >"$work/$name.json"
	printf '%s: %s captured, %s late and skipped, pose after %.0f ms (median), %.0f ms (p99); %s pictures/s of %.0f pixels; load before %s\n' "$name" \
		"$(value "$report" live.captured)" "$(value "$report" live.skipped)" "$(value "$report" live.latency_ms.pose.median)" \
		"$(value "$report" live.latency_ms.pose.p99)" "$shown" "$(value "$report" live.shown_pixels)" "$load"
}

for turn in 1 2; do
	view=()
	scan "without-$turn" "$enamel"
	view=(--view --view-size 960x584 --view-close-s 0.1)
	LIBGL_ALWAYS_SOFTWARE=1 scan "with-$turn" xvfb-run -a -s "-screen 0 1280x1024x24 -noreset" "$enamel"
done
{
	printf '{"commit": "%s", "date": "%s", "device": "%s", "source": "%s", "fps": %s, "seconds": %s' "$(bench_commit)" "$(bench_date)" \
		"$(value "$report" device)" "${source//[\"\\]/_}" "$fps" "$seconds"
	for name in without with; do
		printf ', "%s": {"first": ' "$name"
		cat "$work/$name-1.json"
		printf ', "second": '
		cat "$work/$name-2.json"
		printf '}'
	done
	printf '}\n'
} >"$work/view.json"
mv "$work/view.json" "$(bench_results_of "$work/view.json")/view.json"
