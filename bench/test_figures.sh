#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# enamel-figures on made-up reports: test_figures.sh PROGRAM
set -uo pipefail
figures=$1
# shellcheck source=bench/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

report() {
	printf '{"version": "0.1.0", "device": "Test", "platform": "P", "driver": "1", "frames": 10, "tracked": 9, "fused": 8,
		"weak": 1, "lost": 0, "left_out": 0, "voxel_mm": 0.1, "truncation_mm": 0.4, "fps": %s, "startup_ms": 100, "wall_s": 2.5,
		"programs_built": 3, "device_bytes_peak": 5e6, "host_bytes_peak": 7e6, "event_times_trusted": false,
		"frame_ms": {"median": 1, "p95": 2, "p99": 3, "max": 4},
		"stages_ms": {"depth": {"median": 0.5, "p95": 0.6, "p99": 0.7, "max": 0.8}}}' "$1"
}

for fps in 30 10 20; do report $fps >"$work/$fps.json"; done
mkdir "$work/one" "$work/two"
report 30 >"$work/one/replay.json"
echo '{"surface": {"best_fit": {"mean_um": 12.34}}, "trajectory": {"wrong_poses": 2}}' >"$work/one/evaluate.json"

expect 0 '^0\.7$' "$figures" get "$work/10.json" stages_ms.depth.p99
expect 0 '^Test$' "$figures" get "$work/10.json" device
expect 0 '^false$' "$figures" get "$work/10.json" event_times_trusted
expect 2 '10\.json: stages_ms\.sleep: no such value' "$figures" get "$work/10.json" stages_ms.sleep
expect 2 'none\.json' "$figures" get "$work/none.json" device
expect 2 'wrong arguments' "$figures" speed
expect 0 '^usage' "$figures" --help

speed=("$figures" speed abc now set "$work/speed.json" "$work/10.json" "$work/10.json" "$work/30.json" "$work/10.json" "$work/20.json")
expect 0 '^frames/s  20\.0 \(3 runs: 10\.0 to 30\.0\)' "${speed[@]}"
expect 0 'depth +0\.500 +0\.600 +0\.700 +0\.800' "${speed[@]}"
expect 0 'wall clock' "${speed[@]}"
expect 0 '^20$' "$figures" get "$work/speed.json" fps.median
expect 0 '^2\.5$' "$figures" get "$work/speed.json" three_frames_s.cold
expect 0 '^abc$' "$figures" get "$work/speed.json" commit
expect 4 'nowhere' "$figures" speed abc now set "$work/nowhere/a.json" "$work/10.json" "$work/10.json" "$work/10.json"

accuracy=("$figures" accuracy abc now "$work/accuracy.json" "$work/one" "$work/two")
expect 0 '^one +10 +9 +1 +0 +2 +12\.3 +- ' "${accuracy[@]}"
expect 0 'two/replay\.json' "${accuracy[@]}"
expect 0 '^\| one \| 9 → 9 \| 2 → 2 \| 12\.3 → 12\.3 \|' "$figures" changes "$work/accuracy.json" "$work/accuracy.json"
expect 2 'must be results of accuracy' "$figures" changes "$work/accuracy.json" "$work/one/replay.json"
expect 2 'missing\.json' "$figures" changes "$work/missing.json" "$work/accuracy.json"
expect 1 'no scenario has a report' "$figures" accuracy abc now "$work/none.json" "$work/two"

# tracking: counts add up over seeds, medians are over all re-entries, a run without evaluation counts as not tracked
run() { # FOLDER TRACKED IN_VIEW WRONG REENTRIES RECOVERED VISITS
	mkdir -p "$work/$1"
	report 30 >"$work/$1/replay.json"
	printf '{"trajectory": {"wrong_poses": %s}, "surface": {"best_fit": {"mean_um": 10, "false_area_percent": 0.05}}, "tracking":
		{"in_view": %s, "tracked": %s, "reentries": %s, "recovered": %s, "false_accepts": 0, "visits": [%s]}}' \
		"$4" "$3" "$2" "$5" "$6" "$7" >"$work/$1/evaluate.json"
}
visit() {
	printf '{"place": "%s", "after_s": %s, "after_shown_s": %s}' "$1" "$2" "${3:-null}"
}
run re-entries-1 400 400 0 2 2 "$(visit scanned 0.1 0.3), $(visit scanned 0.4 0.5), $(visit other-jaw null)"
run re-entries-2 400 400 0 2 2 "$(visit scanned 0.2 0.3), $(visit scanned null)"
run clean-7 1000 1000 0 0 0 ''
run crowns-lower 985 1000 1 0 0 ''
mkdir -p "$work/room-50"
report 30 >"$work/room-50/replay.json"
tracking=("$figures" tracking abc now s1 "$work/tracking.json" "$work/re-entries-1" "$work/re-entries-2" "$work/clean-7" "$work/crowns-lower"
	"$work/room-50")
expect 0 '^ten lift-offs +2 .* met +100\.00 % tracked, 0 wrong, 4 of 4 back after 200 ms \(300\), 0 false' "${tracking[@]}"
expect 0 '^clean full arch +1 .* met +100\.00 %' "${tracking[@]}"
expect 0 'crowns-lower +1 .* missed +98\.50 % tracked, 1 wrong' "${tracking[@]}"
expect 0 'room-50 +1 +reported +- +90\.00 %' "${tracking[@]}"
mkdir "$work/other-jaw-1"
report 30 >"$work/other-jaw-1/replay.json"
printf '{"tracking": {"in_view": 100, "tracked": 50, "reentries": 1, "recovered": 1, "wrong_places": 4, "wrong_accepted": %s}}' 1 \
	>"$work/other-jaw-1/evaluate.json"
expect 0 'other jaw +1 .* missed +1 of 4 accepted, 0 wrong, 1 of 1 back' "$figures" tracking abc now s1 - "$work/other-jaw-1"
"$figures" get "$work/tracking.json" commit >/dev/null || failed=1
run re-entries-3 10 400 0 2 1 "$(visit scanned 0.1)"
expect 0 'lift-offs +3 .* missed +67\.50 %' "$figures" tracking abc now s1 - "$work/re-entries-1" "$work/re-entries-2" "$work/re-entries-3"
expect 0 'no scenario of the table' "$figures" tracking abc now s1 - "$work/one" "$work/clean-7"
mkdir "$work/clean-8"
expect 0 'clean-8: has no replay\.json' "$figures" tracking abc now s1 - "$work/clean-7" "$work/clean-8"
expect 1 'no folder has a report' "$figures" tracking abc now s1 - "$work/clean-8"
expect 2 'wrong arguments' "$figures" tracking abc now s1 -

# an earlier result adds its runs, once each, and only to runs of the same sources
expect 0 '^re-entries-2$' "$figures" runs "$work/tracking.json"
expect 0 '^crowns-lower--$' "$figures" runs "$work/tracking.json"
expect 0 'lift-offs +3 .* missed +67\.50 % tracked, 0 wrong, 5 of 6 back after 100 ms \(300\)' \
	"$figures" tracking abc now s1 - "$work/re-entries-3" "$work/tracking.json" "$work/re-entries-1"
expect 0 'lift-offs +2 .* met +100\.00 % .* 4 of 4 back after 200 ms \(300\)' "$figures" tracking abc now s1 - "$work/tracking.json"
expect 2 'is of other sources: s1, and not s2' "$figures" tracking abc now s2 - "$work/tracking.json"
expect 2 'no result whose runs can be added' "$figures" tracking abc now s1 - "$work/accuracy.json"
expect 2 'missing\.json' "$figures" tracking abc now s1 - "$work/clean-7" "$work/missing.json"
exit $failed
