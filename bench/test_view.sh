#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/view.sh on scans of a few seconds: test_view.sh ENAMEL FIGURES
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
bench_programs "$1" "$2" "$(command -v true)"
figures=$2

expect 0 'with-2: .* pictures/s of' bash "$here/view.sh" 2 'sim:--cell-mm 0.8 --size 80x60 --frames 20 --clean'
r=$(echo "$work"/results/*/view.json)
expect 0 '^test$' "$figures" get "$r" commit
holds "$r" fps 'x == 30'
for i in first second; do
	holds "$r" "with.$i.shows" 'x > 0'
	holds "$r" "with.$i.shown_pixels" 'x > 0 && x <= 960 * 540'
	holds "$r" "without.$i.shows" 'x == 0'
	holds "$r" "without.$i.latency_ms_pose_median" 'x > 0'
done
expect 2 'SECONDS' bash "$here/view.sh" soon
expect 2 'begins with none of the kinds' bash "$here/view.sh" 1 film
exit $failed
