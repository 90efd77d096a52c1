#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench/live-scan.sh on a scan of a few seconds: test_live_scan.sh ENAMEL FIGURES
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
bench_programs "$1" "$2" "$(command -v true)"
figures=$2

# 2 s of overload are enough to see that it is measured; the script takes 20 at least
rm "$work/bin/enamel"
printf '#!/bin/bash\nfor a; do shift; [[ $a == 20 ]] && a=2; set -- "$@" "$a"; done\nexec "%s" "$@"\n' "$1" >"$work/bin/enamel"
chmod +x "$work/bin/enamel"

expect 0 'overload: .* same bits: true' bash "$here/live-scan.sh" 2 'sim:--cell-mm 0.8 --size 80x60 --frames 20 --clean'
r=$(echo "$work"/results/*/live-scan.json)
expect 0 '^test$' "$figures" get "$r" commit
holds "$r" sustained_fps 'x > 0'
holds "$r" steady.fps 'x == 30'
holds "$r" steady.refused 'x == 0'
expect 0 'true' "$figures" get "$r" steady.same_bits_in_replay
expect 2 'SECONDS' bash "$here/live-scan.sh" soon
expect 2 'begins with none of the kinds' bash "$here/live-scan.sh" 1 film
exit $failed
