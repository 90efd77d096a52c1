#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What run.sh says of bad input and of missing packages, and how ratios are made. Wants Python, but none of the peers;
# with a real environment of theirs at hand, what is said of bad pictures too.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/expect.sh
. "$here/../expect.sh"
real=${ENAMEL_PEERS_VENV:-$here/../../build/bench/peers/venv}/bin/python
export ENAMEL_PEERS_VENV=$work/venv PYTHONDONTWRITEBYTECODE=1
unset ENAMEL_BIN
if ! python3 -m venv --without-pip "$work/venv" >/dev/null 2>&1; then
	echo "skipped: python3 with venv is missing"
	exit 77
fi

camera='{"width": 4, "height": 3, "intrinsic_matrix": [3, 0, 0, 0, 3, 0, 1.5, 1, 1], "depth_scale": 1000, "depth_unit": "mm"'

# scan NAME FRAMES: a folder with lists of so many frames, all looking the same way.
scan() {
	local i
	mkdir -p "$work/$1"
	printf '%s}\n' "$camera" >"$work/$1/camera.json"
	for ((i = 100; i < 100 + $2; i++)); do printf '%d depth/%d.png\n' $i $i; done >"$work/$1/depth.txt"
	for ((i = 100; i < 100 + $2; i++)); do printf '%d 1 2 3 0 0 0 1\n' $i; done >"$work/$1/groundtruth.txt"
}

run=(bash "$here/run.sh")
scan good 12
expect 0 'bash bench/peers/run\.sh' "${run[@]}" --help
expect 77 'small_gicp left out: all need numpy' "${run[@]}" "$work/good"
expect 77 'none can run here: .*--install' "${run[@]}" "$work/good"
expect 77 '^peers: vdbfusion left out' "${run[@]}" --peer vdbfusion "$work/good"

expect 2 'unknown option --fast' "${run[@]}" --fast "$work/good"
expect 2 '--repeats: wanted a number' "${run[@]}" --repeats 0 "$work/good"
expect 2 '--repeats: wanted a number' "${run[@]}" --repeats
expect 2 '--threads: wanted a number' "${run[@]}" --threads two "$work/good"
expect 2 '--frames: wanted a number' "${run[@]}" --frames -1 "$work/good"
expect 2 '--voxel-mm: wanted mm' "${run[@]}" --voxel-mm 0 "$work/good"
expect 2 '--truncation-mm: wanted mm' "${run[@]}" --truncation-mm 10 "$work/good"
expect 2 '--peer: wanted one of .*vdbfusion' "${run[@]}" --peer kinfu "$work/good"
expect 2 '--device: wanted a name' "${run[@]}" --device
expect 2 'one dataset at a time' "${run[@]}" "$work/good" "$work/good"

expect 2 'nowhere: no such folder' "${run[@]}" "$work/nowhere"
expect 2 '12 frames, at least 13 wanted' "${run[@]}" --frames 13 "$work/good"
scan short 9
expect 2 'depth\.txt: 9 frames, at least 10 wanted' "${run[@]}" "$work/short"
scan unlisted 12 && rm "$work/unlisted/depth.txt"
expect 2 'depth\.txt: missing' "${run[@]}" "$work/unlisted"
scan blind 12 && rm "$work/blind/camera.json"
expect 2 'camera\.json: No such file' "${run[@]}" "$work/blind"
scan text 12 && echo 'not JSON' >"$work/text/camera.json"
expect 2 'camera\.json: not a camera' "${run[@]}" "$work/text"
scan poor 12 && echo '{"width": 4}' >"$work/poor/camera.json"
expect 2 "camera\.json: not a camera: KeyError: 'intrinsic_matrix'" "${run[@]}" "$work/poor"
scan flat 12 && printf '%s}\n' "${camera/\"width\": 4/\"width\": 0}" >"$work/flat/camera.json"
expect 2 'is not above 0' "${run[@]}" "$work/flat"
scan room 12 && printf '%s}\n' "${camera/\"mm\"/\"m\"}" >"$work/room/camera.json"
expect 2 'depth_unit is m' "${run[@]}" "$work/room"
scan bent 12 && printf '%s, "distortion": [0.1, 0, 0, 0, 0]}\n' "$camera" >"$work/bent/camera.json"
expect 2 'distortion or depth_residual' "${run[@]}" "$work/bent"
scan unplaced 12 && sed -i '$d' "$work/unplaced/groundtruth.txt"
expect 2 'no true pose for the frame at 111 s' "${run[@]}" "$work/unplaced"
scan narrow 12 && echo '200 1 2' >>"$work/narrow/groundtruth.txt"
expect 2 'groundtruth\.txt:13: 8 columns wanted' "${run[@]}" "$work/narrow"
scan worded 12 && sed -i '3s/ 1 2 3 / 1 nan 3 /' "$work/worded/groundtruth.txt"
expect 2 'groundtruth\.txt:3: nan: no number' "${run[@]}" "$work/worded"
scan turnless 12 && sed -i '3s/ 0 0 0 1$/ 0 0 0 0/' "$work/turnless/groundtruth.txt"
expect 2 'the quaternion at 102 s is 0' "${run[@]}" "$work/turnless"
scan back 12 && sed -i '5s/^104/101/' "$work/back/depth.txt"
expect 2 'times do not ascend' "${run[@]}" "$work/back"

# Ratios are of pairs: 4, 2 and 8 times as fast, though the medians alone would say 2.5. Errors: the other way round.
cat >"$work/ratios.py" <<'EOF'
import sys
sys.path.insert(0, sys.argv[1])
import report
rows = [{"peer": {"frames": 10, "tracked": 5, "fps": p, "poses_um": 30, "wrong_poses": 0},
         "enamel": {"frames": 10, "tracked": 10, "fps": e, "poses_um": 20, "wrong_poses": 0}}
        for p, e in ((10, 40), (50, 100), (40, 320))]
rows = [dict(row, load_average=1) for row in rows]
f = report.summary({"label": "x", "kind": "whole"}, rows)["figures"]
assert f["frames/s"]["ratio"] == {"median": 4, "min": 2, "max": 8}, f
assert f["poses um"]["ratio"]["median"] == 1.5 and f["tracked %"]["ratio"]["median"] == 2, f
assert f["wrong poses"]["ratio"] is None and f["pinned um"] is None and "ms a frame" not in f, f
print("ratios hold")
EOF
expect 0 'ratios hold' "$work/venv/bin/python" "$work/ratios.py" "$here"

# Pictures are read with the environment's packages, before any program is started.
pictures() {
	"$real" - "$work/$1/depth" <<'EOF'
import os, sys
from PIL import Image
os.mkdir(sys.argv[1])
for i in range(100, 112):
    Image.new("I;16", (4, 3), 12000).save(f"{sys.argv[1]}/{i}.png")
EOF
}
if [[ -x $real ]] && "$real" -c 'import numpy, PIL' 2>/dev/null; then
	for name in good damaged absent wide dark; do scan $name 12 && pictures $name; done
	head -c 50 "$work/damaged/depth/103.png" >"$work/cut" && mv "$work/cut" "$work/damaged/depth/103.png"
	rm "$work/absent/depth/104.png"
	"$real" -c "from PIL import Image; Image.new('I;16', (5, 3), 1).save('$work/wide/depth/105.png')"
	"$real" -c "from PIL import Image; [Image.new('I;16', (4, 3)).save(f'$work/dark/depth/{i}.png') for i in range(100, 112)]"
	# shellcheck disable=SC2317 # expect calls it
	load() {
		"$real" "$here/peers.py" run --enamel none --dataset "$work/$1" --name x --work "$work" --out "$work/out.json" --commit x \
			--date x --frames 0 --repeats 1 --threads "${2:-1}" --voxel-mm 0.1 small_gicp
	}
	expect 2 'damaged/depth/103\.png' load damaged
	expect 2 'absent/depth/104\.png: .*No such file' load absent
	expect 2 'wide/depth/105\.png: not a 16-bit picture of 4 x 3' load wide
	expect 2 'dark: no reading in any frame' load dark
	expect 2 '--threads 999: this process may use [0-9]+ CPUs' load good 999
fi
exit $failed
