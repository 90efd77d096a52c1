#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the README's pictures of the viewer beside this file: view.jpg, noise.jpg, live.jpg, measure.jpg, shades.jpg. From the built-in arch, which is simulated
# unless the folder of such a scan is given, on a display without a screen. Wants a build (host/setup.sh) and Debian's netpbm and xdotool, and takes some ten
# minutes on two cores.
# usage: bash host/docs/screenshots.sh [SCAN]
set -euo pipefail

docs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
enamel=$docs/../../build/host/enamel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
size=900x600
live_s=${LIVE_S:-60} # into the scan, its start included

for tool in xvfb-run pngtopnm pnmtojpeg xdotool; do
	command -v $tool >/dev/null || { echo "$tool is not installed (Debian: xvfb, netpbm, xdotool)" >&2; exit 1; }
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

# A distance and a section, as a user takes them: the tool's key, then a click at each point.
measure() {
	"$enamel" view "$work/arch.ply" --size $size --exit-after 600 --screenshot "$work/measure.png" &
	sleep "${MEASURE_S:-20}" # until it is drawn
	local step
	for step in 'd 235 330' '- 645 330' 'r 208 400' '- 272 395'; do
		read -r key x y <<<"$step"
		[ "$key" = - ] || xdotool key "$key"
		xdotool mousemove "$x" "$y"
		sleep 2
		xdotool click 1
		sleep 2
	done
	xdotool mousemove 20 590
	xdotool key Escape # the tool, and what it asks for
	sleep 5
	xdotool key q
	wait
}
export enamel work size
window bash -euo pipefail -c "$(declare -f measure); measure" # xvfb-run's shell passes no functions on
keep measure

for shade in clay views quality incidence flags deviation; do
	compare=()
	[ $shade != deviation ] || compare=(--compare "$scan/truth.ply")
	"$enamel" render "$work/arch.ply" --shade $shade ${compare[@]+"${compare[@]}"} --size 620x420 --out "$work/$shade.png"
	pngtopnm "$work/$shade.png" >"$work/$shade.pnm"
done
cd "$work"
pnmcat -lr clay.pnm views.pnm quality.pnm >upper.pnm
pnmcat -lr incidence.pnm flags.pnm deviation.pnm >lower.pnm
pnmcat -tb upper.pnm lower.pnm | pnmtojpeg -quality 82 -optimize >shades.jpg
mv "$work/shades.jpg" "$docs/shades.jpg"

# In the middle of a scan: the window keeps its picture when it is interrupted.
status=0
window timeout --preserve-status -s INT "$live_s" "$enamel" view "$scan" --size $size --screenshot "$work/live.png" || status=$?
[ $status = 130 ] || { echo "the scan was over before $live_s s: set LIVE_S to less" >&2; exit 1; }
keep live
ls -l "$docs"/*.jpg
