#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How a live scan holds up: at 30 frames/s, then at twice the rate that this machine sustains.
#
#   bash bench/live-scan.sh [SECONDS [SOURCE]]
#
# SECONDS: of the first scan (default 600); the second takes a tenth of it, at least 20. SOURCE: driver (default), the example driver, which plays a
# simulated scan of ten seconds to and fro through a socket; or as of enamel live (one that delivers at the rate it is asked for). Each scan's recording is
# replayed, and mesh and poses are compared to the bit. Prints a line a scan and writes results/<device>/live-scan.json. See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == --help ]]; then
	sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit 0
fi
seconds=${1:-600}
source=${2:-driver}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "SECONDS: '$seconds' is no number above 0"
bench_begin
driver=$(dirname "$enamel")/source/client/enamel-driver-example
if [[ $source == driver ]]; then
	[[ -n ${ENAMEL_BIN:-} ]] && driver=$ENAMEL_BIN/enamel-driver-example ||
		bash "$root/host/setup.sh" "$root/build" -- enamel-driver-example >&2
	[[ -x $driver ]] || die "no enamel-driver-example in $(dirname "$driver")"
	played=$(simulated live arch --frames 300)
fi

# scan NAME FPS SECONDS: a live scan and its replay, as one JSON object in $work/NAME.json.
scan() {
	local name=$1 fps=$2 long=$3 code=0 same=true session=$work/$1 report key name_of from=$source
	say "$name: $long s at $fps frames/s"
	if [[ $source == driver ]]; then
		from=socket:$work/$name.socket
		"$driver" "$played" --socket "${from#socket:}" --fps "$fps" --duration "$((long + 5))" --timeout 120 >&2 &
	fi
	"$enamel" live --source "$from" --session "$session" --fps "$fps" --duration "$long" >"$work/log" 2>&1 || code=$?
	wait
	report=$session/report.json
	if [[ $code -gt 1 || ! -f $report ]]; then
		tail -n 3 "$work/log" >&2
		die "$name: live ended with exit code $code"
	fi
	"$enamel" replay "$session/scan.enmrec" --out "$work/mesh.ply" --trajectory "$work/poses.txt" --report "$work/replay.json" \
		>"$work/log" 2>&1 || [[ $? == 1 ]] || die "$name: its recording cannot be replayed: $(tail -n 1 "$work/log")"
	cmp -s "$work/mesh.ply" "$session/mesh.ply" && cmp -s "$work/poses.txt" "$session/trajectory.txt" || same=false
	{
		printf '{"fps": %s, "seconds": %s, "exit_code": %s, "same_bits_in_replay": %s' "$fps" "$long" "$code" "$same"
		for key in tracked weak lost live.captured live.recorded live.refused live.skipped live.lost_before \
			live.latency_ms.pose.median live.latency_ms.pose.p99 live.latency_ms.pose.max \
			live.queues.engine_max live.queues.engine_bound live.queues.recording_max live.queues.recording_bound \
			live.recording.bytes live.recording.cpu_s \
			live.memory.after_a_minute_bytes live.memory.scanned_bytes live.memory.end_bytes live.memory.max_bytes; do
			name_of=${key#live.}
			printf ', "%s": %s' "${name_of//./_}" "$(value "$report" "$key")"
		done
		printf '}'
	} >"$work/$name.json"
	printf '%s: %s captured, %s recorded, %s skipped, pose after %.0f ms (median), %.0f ms (p99), same bits: %s\n' "$name" \
		"$(value "$report" live.captured)" "$(value "$report" live.recorded)" "$(value "$report" live.skipped)" \
		"$(value "$report" live.latency_ms.pose.median)" "$(value "$report" live.latency_ms.pose.p99)" "$same"
}

scan steady 30 "$seconds"
sustained=$(value "$work/replay.json" fps)
rm -f "$work/steady/scan.enmrec"
scan overload "$(awk -v x="$sustained" 'BEGIN { printf "%.1f", 2 * x }')" "$((seconds / 10 > 20 ? seconds / 10 : 20))"
{
	printf '{"commit": "%s", "date": "%s", "device": "%s", "source": "%s", "sustained_fps": %s, "steady": ' "$(bench_commit)" \
		"$(bench_date)" "$(value "$work/replay.json" device)" "${source//[\"\\]/_}" "$sustained"
	cat "$work/steady.json"
	printf ', "overload": '
	cat "$work/overload.json"
	printf '}\n'
} >"$work/live-scan.json"
mv "$work/live-scan.json" "$(bench_results_of "$work/live-scan.json")/live-scan.json"
