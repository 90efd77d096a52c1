#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian 12 to a stitched jaw: installs what is missing, builds, simulates a scan of a whole arch, stitches it,
# and measures the result against the truth. Leaves everything in demo/ beside README.md. From any folder, as often as
# you like; takes three to four minutes on two cores once the packages are there.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo=$root/demo
enamel=$root/build/host/enamel
begun=$SECONDS

step() {
	printf '\n[%3d s] %s\n' $((SECONDS - begun)) "$*"
}

# One figure of a report, rounded by a printf format and scaled.
figure() {
	local value
	value=$("$root/build/bench/enamel-figures" get "$demo/$1" "$2")
	awk -v value="$value" -v scale="${4:-1}" -v format="${3:-%d}" 'BEGIN { printf format, value * scale }'
}

row() {
	printf '  %-22s %s\n' "$1" "$2"
}

table() {
	local seen=surface.best_fit pinned=surface.pinned_first
	printf '\nWhat happened\n\n'
	row 'frames in the scan' "$(figure report.json frames)"
	row '  placed (tracked)' "$(figure report.json tracked), of which $(figure report.json fused) went into the model"
	row '  placed too poorly' "$(figure report.json weak)"
	row '  not placed (lost)' "$(figure report.json lost)"
	row '  unreadable' "$(figure report.json left_out)"
	row 'placed wrongly' "$(figure evaluate.json trajectory.wrong_poses) (by more than 0.15 mm or 0.5 degrees, says the truth)"
	row 'speed' "$(figure report.json fps %.1f) frames a second on $("$root/build/bench/enamel-figures" get "$demo/report.json" device)"
	row 'memory' "$(figure report.json device_bytes_peak %.0f 1e-6) MB on the device, $(figure report.json host_bytes_peak %.0f 1e-6) MB on the host"
	row 'surface' "$(figure report.json triangles) triangles, voxels of $(figure report.json voxel_mm %g) mm"
	row 'trueness, best fit' "$(figure evaluate.json $seen.mean_um %.1f) um from the true surface on average, 95 % within $(figure evaluate.json $seen.p95_um %.0f) um"
	row 'trueness, pinned' "$(figure evaluate.json $pinned.mean_um %.1f) um on average when laid on by the first frame alone: drift shows here"
	row 'completeness' "$(figure evaluate.json completeness.within_100um_percent %.1f) % of the surface seen is there within 0.1 mm"
	row 'time in all' "$((SECONDS - begun)) s"
	printf '\nWhere it is: %s/\n\n' "$demo"
	row scan.ply 'the jaw, with normals, views per vertex and their sigma'
	row scan.stl 'the same for programs that read nothing else'
	row preview.png 'the jaw from four sides'
	row deviation.png 'the same, coloured by the distance to the truth'
	row trajectory.txt 'where the camera was, a line a tracked frame'
	row report.json 'all figures of the replay; evaluate.json those of the comparison'
	row scan/ 'the simulated recording; scan/truth.ply is the true surface'
}

step 'Packages and build'
bash "$root/host/setup.sh" "$root/build" -- enamel-process enamel-simulate enamel-evaluate enamel-figures

step 'Simulating a scan of a dental arch: three passes, with the errors that a scanner makes'
mkdir -p "$demo"
"$enamel" simulate arch "$demo/scan" --seed 1 --speed-mm-s 12 --force

step 'Stitching it'
"$enamel" replay "$demo/scan" --start-at-truth --out "$demo/scan.ply" --also "$demo/scan.stl" \
	--trajectory "$demo/trajectory.txt" --report "$demo/report.json" --preview "$demo/preview.png"

step 'Measuring the result against the truth'
"$enamel" evaluate "$demo/scan.ply" --dataset "$demo/scan" --trajectory "$demo/trajectory.txt" \
	--fused "$demo/report.json" --report "$demo/evaluate.json" --picture "$demo/deviation.png"

table
