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
exit $failed
