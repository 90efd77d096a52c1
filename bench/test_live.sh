#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# enamel-live and its script on a scan of a few frames: test_live.sh ENAMEL FIGURES LIVE
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
bench_programs "$1" "$2" "$3"
figures=$2 live=$3

"$1" simulate arch "$work/scan" --seed 1 --cell-mm 0.8 --frames 8 --speed-mm-s 16 --size 160x120 >/dev/null || exit 1
expect 0 'they are the mesh$' bash "$here/live.sh" --repeats 2 "$work/scan"
r=$(echo "$work"/results/*/live-surface-scan.json)
expect 0 '^test$' "$figures" get "$r" commit
holds "$r" frames 'x == 8'
holds "$r" bytes_max 'x >= 262144'
holds "$r" fast.behind.frames 'x == 16'
holds "$r" at_30.behind.median_ms 'x > 0 && x < 1e5'
holds "$r" at_60.behind.share_within_100_ms 'x >= 0 && x <= 1'
holds "$r" at_30.with.frame_ms_median 'x > 0'
holds "$r" at_30.without.cpu_ms_a_frame 'x > 0'
holds "$r" at_30.patch_bytes_peak 'x > 1e4'
expect 0 '^usage' "$live" --help
expect 2 'enamel-live:' "$live"
expect 2 'missing' "$live" "$work/nowhere"
expect 2 'bytes-kib' "$live" "$work/scan" --bytes-kib 255
expect 2 'repeats' "$live" "$work/scan" --repeats 0
expect 3 'device' "$live" "$work/scan" --device no-such-device
expect 4 'nowhere' "$live" "$work/scan" --json "$work/nowhere/a.json"
expect 2 'no such folder' bash "$here/live.sh" "$work/nowhere"
expect 2 'repeats' bash "$here/live.sh" --repeats x
expect 2 'unknown option' bash "$here/live.sh" --speed
exit $failed
