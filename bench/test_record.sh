#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# enamel-recording and its script on a scan of a few frames: test_record.sh ENAMEL FIGURES RECORDING
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
bench_programs "$1" "$2" "$3"
figures=$2 recording=$3

"$1" simulate arch "$work/scan" --seed 1 --cell-mm 0.8 --frames 4 --speed-mm-s 16 --size 160x120 --color >/dev/null || exit 1
expect 0 'recorded 50 of 50 frames, 0 refused' bash "$here/record.sh" "$work/scan" --fps 50 --seconds 1
r=$(echo "$work"/results/*/recording-scan.json)
expect 0 '^test$' "$figures" get "$r" commit
holds "$r" recorded 'x == 50'
holds "$r" width 'x == 160'
holds "$r" ratio 'x > 1.5 && x < 100'
holds "$r" writer_cpu_share 'x > 0 && x < 1'
holds "$r" picture_mb_s 'x > 1 && x < 10'
holds "$r" packing.depth_zstd_1.ratio 'x > 1'
holds "$r" packing.depth_delta_1.ratio 'x > 1'
holds "$r" packing.color_delta_1.unpack_mb_s 'x > 0'
"$1" convert "$work/scan" "$work/scan2.enmrec" >/dev/null || exit 1
expect 0 'of 160x120 with colour' bash "$here/record.sh" "$work/scan2.enmrec" --fps 50 --seconds 0.2
expect 0 '^usage' "$recording" --help
expect 2 'enamel-recording:' "$recording"
expect 2 'missing' "$recording" "$work/nowhere"
expect 2 'fps' "$recording" "$work/scan" --fps 0
expect 4 'nowhere' "$recording" "$work/scan" --json "$work/nowhere/a.json"
expect 4 'cannot write' "$recording" "$work/scan" --file "$work/nowhere/a.enmrec"
expect 2 'missing' bash "$here/record.sh" "$work/nowhere"
expect 2 'unknown option' bash "$here/record.sh" --fps
exit $failed
