#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Enamel beside its peers on the same frames, in turns: Open3D, VDBFusion, small_gicp.
#
#   bash bench/peers/run.sh [OPTION...] [DATASET]
#
#   --install        first make the Python environment with the peers (downloads about 300 MB)
#   --repeats N      pairs of runs a peer (default 5)
#   --threads N      for all (default 2)
#   --voxel-mm MM    (default 0.1)
#   --truncation-mm MM  (default: what Enamel takes for the voxel)
#   --frames N       the first N frames only
#   --peer NAME      this one only; may be given more than once
#   --device NAME    OpenCL device of Enamel, as `enamel devices` names it
#
# DATASET: a folder with camera.json and true poses, or "arch" for a simulated one; without it ../shared/data/sim/cast
# where it is there, else arch. Prints a table; a run over all frames and peers with 5 repeats or more writes
# results/<device>/peers-<dataset>.json. Exit code 77: no peer is installed. See README.md.
set -euo pipefail
peers_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/common.sh
. "$peers_folder/../common.sh"

known=(open3d-slam open3d-parts open3d-fine open3d-fusion vdbfusion small_gicp)
repeats=5 threads=2 voxel_mm=0.1 truncation_mm='' count=0 device='' install=false dataset=''
wanted=()

number() { # number OPTION VALUE PATTERN WHAT
	[[ $2 =~ ^$3$ ]] || die "$1: wanted $4"
}

is_known() {
	local name
	for name in "${known[@]}"; do
		[[ $name != "$1" ]] || return 0
	done
	return 1
}

while [[ $# -gt 0 ]]; do
	option=$1 value=${2:-}
	shift
	case $option in
	--help)
		sed -n '3,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
		exit 0
		;;
	--install) install=true && continue ;;
	--repeats) number "$option" "$value" '[1-9][0-9]?' 'a number from 1 to 99' && repeats=$value ;;
	--threads) number "$option" "$value" '[1-9][0-9]?[0-9]?' 'a number from 1 to 999' && threads=$value ;;
	--frames) number "$option" "$value" '[1-9][0-9]{0,5}' 'a number of frames' && count=$value ;;
	--voxel-mm) number "$option" "$value" '0?\.[0-9]*[1-9][0-9]*|[1-9](\.[0-9]+)?' 'mm above 0 and below 10' && voxel_mm=$value ;;
	--truncation-mm) number "$option" "$value" '0?\.[0-9]*[1-9][0-9]*|[1-9](\.[0-9]+)?' 'mm above 0 and below 10' && truncation_mm=$value ;;
	--peer)
		is_known "$value" || die "--peer: wanted one of ${known[*]}"
		wanted+=("$value")
		;;
	--device) [[ -n $value ]] || die "--device: wanted a name" && device=$value ;;
	-*) die "unknown option $option (--help lists them)" ;;
	*)
		[[ -z $dataset ]] || die "one dataset at a time: $dataset, $option"
		dataset=$option
		continue
		;;
	esac
	shift
done
if [[ -z $dataset ]]; then
	dataset=arch
	[[ ! -d $shared/sim/cast ]] || dataset=$shared/sim/cast
fi

# The environment is made with a Python that all peers have wheels for, if there is one.
venv=${ENAMEL_PEERS_VENV:-$root/build/bench/peers/venv}
make_venv() {
	local python=${ENAMEL_PEERS_PYTHON:-}
	if [[ -z $python ]]; then
		python=python3
		! python3.10 -c 'import ensurepip' 2>/dev/null || python=python3.10
	fi
	say "installing the peers"
	mkdir -p "$(dirname "$venv")"
	"$python" -m venv "$venv" || die "$python cannot make a virtual environment (Debian: python3-venv)"
	"$venv/bin/python" -m pip install --quiet -r "$peers_folder/requirements.txt" >&2 || die "pip install failed"
}
[[ $install == false ]] || make_venv
export PYTHONDONTWRITEBYTECODE=1
python=$venv/bin/python
[[ -x $python ]] || python=python3
command -v "$python" >/dev/null || die "$python: not found"
peers() {
	"$python" "$peers_folder/peers.py" "$@"
}

[[ $dataset == arch ]] || peers check "$dataset" "$count" || exit 2
sides=$(peers sides "${wanted[@]}")
if [[ -z $sides ]]; then
	say "peers: none can run here: bash bench/peers/run.sh --install"
	exit 77
fi
read -ra sides <<<"$sides"

bench_begin
[[ $dataset != arch ]] || dataset=$(simulated arch arch --seed 1 --speed-mm-s 12)
name=$(basename "$(cd "$dataset" && pwd)" | sed 's/-[0-9]\{6,\}$//')
options=(--frames "$count" --repeats "$repeats" --threads "$threads" --voxel-mm "$voxel_mm")
[[ -z $truncation_mm ]] || options+=(--truncation-mm "$truncation_mm")
[[ -z $device ]] || options+=(--device "$device")
peers run --enamel "$enamel" --dataset "$dataset" --name "$name" --work "$work" --out "$work/peers.json" \
	--commit "$(bench_commit)" --date "$(bench_date)" "${options[@]}" "${sides[@]}"

# A part of the comparison does not replace the whole.
[[ $count == 0 && $repeats -ge 5 && ${#wanted[@]} == 0 && -z $truncation_mm ]] || exit 0
[[ $voxel_mm == 0.1 ]] || name+=-$voxel_mm
out=$(bench_results_of "$work/enamel.json")/peers-$name.json
cp "$work/peers.json" "$out"
say "wrote ${out#"$root"/}"
