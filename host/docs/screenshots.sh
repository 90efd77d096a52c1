#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the README's pictures of the viewer beside this file: view.jpg, noise.jpg, live.jpg. From the built-in arch, which is simulated unless
# the folder of such a scan is given, on a display without a screen. Wants a build (host/setup.sh) and Debian's netpbm, and takes some ten
# minutes on two cores.
# usage: bash host/docs/screenshots.sh [SCAN]
set -euo pipefail

docs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
enamel=$docs/../../build/host/enamel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
size=900x600
live_s=${LIVE_S:-60} # into the scan, its start included

for tool in xvfb-run pngtopnm pnmtojpeg; do
	command -v $tool >/dev/null || { echo "$tool is not installed (Debian: xvfb, netpbm)" >&2; exit 1; }
done

# keep NAME: the PNG of that name as JPEG beside this file.
keep() {
	pngtopnm "$work/$1.png" | pnmtojpeg -quality 82 -optimize >"$work/$1.jpg"
	mv "$work/$1.jpg" "$docs/$1.jpg"
}

window() {
	LIBGL_ALWAYS_SOFTWARE=1 xvfb-run -a -s "-screen 0 1280x1024x24 -noreset" "$@"
}

scan=${1:-$work/scan}
if [ ! -d "$scan" ]; then
	"$enamel" simulate arch "$scan" --seed 1 --speed-mm-s 12
fi
"$enamel" replay "$scan" --start-at-truth --out "$work/arch.ply"
window "$enamel" view "$work/arch.ply" --size $size --exit-after 1 --screenshot "$work/view.png"
keep view
window "$enamel" view "$work/arch.ply" --size $size --shade quality --light --exit-after 1 --screenshot "$work/noise.png"
keep noise

# In the middle of a scan: the window keeps its picture when it is interrupted.
status=0
window timeout --preserve-status -s INT "$live_s" "$enamel" view "$scan" --size $size --screenshot "$work/live.png" || status=$?
[ $status = 130 ] || { echo "the scan was over before $live_s s: set LIVE_S to less" >&2; exit 1; }
keep live
ls -l "$docs"/*.jpg
