#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# enamel-frames and the scripts that run it, on scans of a few frames: test_frames.sh ENAMEL FIGURES FRAMES
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
bench_programs "$1" "$2" "$3"
figures=$2 frames=$3

tiny=(--cell-mm 0.8 --frames 8 --speed-mm-s 16)
"$1" simulate arch "$work/scan" --seed 1 "${tiny[@]}" --size 160x120 >/dev/null || exit 1

r=$work/r.json
expect 0 '^tracked   8 \(8 fused\), 0 weak, 0 lost, 0 left out; all runs agree' \
	"$frames" "$work/scan" --repeats 3 --warm-up 2 --json "$r" --label here
expect 0 '^here$' "$figures" get "$r" label
expect 0 '^scan$' "$figures" get "$r" dataset
holds "$r" frames 'x == 8'
holds "$r" fps.runs 'x == 3'
holds "$r" serial_ms.least.median 'x > 0'
holds "$r" serial_ms.cpu_ms_a_frame 'x > 0'
holds "$r" latency_ms.run.median 'x > 0'
holds "$r" work.pixels 'x == 160 * 120'
holds "$r" work.blocks_used_last 'x > 100'
holds "$r" rates.copy_gb_s 'x > 0.1 && x < 100000'
holds "$r" rates.launch_us 'x > 0.01 && x < 100000'
holds "$r" floors.fuse.bytes 'x > 1e5'
holds "$r" floors.fuse.measured_ms 'x > 0'
least=$("$figures" get "$r" serial_ms.least.median)
holds "$r" serial_ms.run_median_min "x >= $least"
expect 0 'all runs agree' "$frames" "$work/scan" --frames 2:5 --repeats 2 --reset --rates off --stage-times off --json "$r"
holds "$r" frames 'x == 3'
expect 2 'no such value' "$figures" get "$r" floors.fuse.bytes
expect 2 'no such value' "$figures" get "$r" stages_ms.fuse.median

expect 0 '^usage' "$frames" --help
expect 2 'enamel-frames:' "$frames"
expect 2 'missing' "$frames" "$work/nowhere"
expect 2 '--frames: begins at 100' "$frames" "$work/scan" --frames 100:200
expect 2 'repeats' "$frames" "$work/scan" --repeats 0
expect 2 'voxel-mm' "$frames" "$work/scan" --voxel-mm nan
expect 2 'truncation' "$frames" "$work/scan" --truncation-mm 9000
expect 2 '--color on: .* has no colour' "$frames" "$work/scan" --color on
expect 3 'device' "$frames" "$work/scan" --device 9999
expect 3 'device' "$frames" "$work/scan" --device no-such-device
expect 4 'nowhere' "$frames" "$work/scan" --json "$work/nowhere/a.json"
for file in "$work"/scan/depth/*; do : >"$file"; done
expect 1 'no frame can be used' "$frames" "$work/scan"

expect 2 'no such folder' bash "$here/frames.sh" "$work/nowhere"
expect 2 'repeats' bash "$here/frames.sh" --repeats x
expect 2 'unknown option' bash "$here/frames.sh" --speed
expect 2 'rounds' bash "$here/scaling.sh" --rounds 0
"$1" simulate arch "$work/scan" --seed 1 "${tiny[@]}" --size 160x120 --force >/dev/null || exit 1
expect 0 '^scan +160x120 +0\.05 ' bash "$here/frames.sh" --repeats 1 "$work/scan" --warm-up 1
files=("$work"/results/*/frames-scan.json)
expect 0 '^test$' "$figures" get "${files[0]}" commit

export ENAMEL_COST_BASE=$frames
expect 0 'median of 2 pairs' bash "$here/cost.sh" HEAD --pairs 2 "$work/scan" --warm-up 2
r=$(echo "$work"/results/*/cost.json)
expect 0 '^HEAD$' "$figures" get "$r" against
holds "$r" serial_cpu_ms.pairs 'x == 2'
least=$("$figures" get "$r" serial_least_ms.min)
holds "$r" serial_least_ms.median "x >= $least && x > 0"
expect 2 'no commit to compare with' bash "$here/cost.sh"
expect 2 '--pairs' bash "$here/cost.sh" HEAD --pairs 0
expect 2 'no such dataset' bash "$here/cost.sh" HEAD "$work/nowhere"
unset ENAMEL_COST_BASE

export ENAMEL_SCALING_SCAN="${tiny[*]}"
expect 0 '^quadrant-640x480 +307200 +0\.1 .* 4\.00 ' bash "$here/scaling.sh" --rounds 1
files=("$work"/results/*/scaling.json)
expect 0 '^test$' "$figures" get "${files[0]}" commit

# made-up rounds: the best counts, costs are held against pixels and blocks in view
round() {
	made=$((made + 1))
	printf '{"label": "%s", "device": "D", "device_is_cpu": %s, "voxel_mm": 0.1, "work": {"pixels": %s,
		"blocks_in_view": %s, "blocks_used_last": 5000}, "serial_ms": {"least": {"median": %s}, "cpu_ms_a_frame": %s},
		"stages_ms": {"fuse": {"median": 1}}}' "$@" >"$work/$1-$made.json"
}
made=0
round a false 100 1000 4 9
round a false 100 1000 3 9
round b false 400 1000 12.5 99
round c false 100 2000 9 1
scaling=("$figures" scaling test now "$work/s.json" "$work"/[abc]-*.json)
expect 0 '^a .* 3\.000 .* base$' "${scaling[@]}"
expect 0 '^b .* 4\.17 .* 4\.00  holds$' "${scaling[@]}"
expect 0 '^c .* 3\.00 .* 2\.00  grows faster$' "${scaling[@]}"
made=0
round a true 100 1000 4 9
round a true 100 1000 3 9
round b true 400 1000 12.5 99
round c true 100 2000 9 1
expect 0 '^b .* 11\.00 .* 4\.00  grows faster$' "${scaling[@]}"
expect 0 '^c .* 0\.11 .* 2\.00  holds$' "${scaling[@]}"
expect 2 'wrong arguments' "$figures" scaling test now "$work/s.json"
expect 2 'none\.json' "$figures" frames test now "$work/s.json" "$work/none.json"
exit $failed
