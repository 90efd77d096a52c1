#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tries Enamel on this machine: run.sh [--quick] [OUT]
#
# Needs a Linux on x86-64 and a graphics driver, and nothing else. Finds the driver's OpenCL, checks the devices, runs
# the kernels' tests, stitches the small dataset, measures the result and the speed. Reports go to OUT (default: ./out).
# Ends with 0 when all went well. OCL_ICD_VENDORS chooses the OpenCL drivers by hand; ENAMEL_TEST_DEVICE a device by name.
set -uo pipefail
shopt -s nullglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
quick=
if [[ ${1:-} == --quick ]]; then
	quick=1
	shift
fi
mkdir -p "${1:-out}" || exit 4
out=$(cd "${1:-out}" && pwd)
failed=0

# Folders where drivers put their libraries, besides those of the loader.
library_folders() {
	tr ':' '\n' <<<"${LD_LIBRARY_PATH:-}"
	(ldconfig -p || /sbin/ldconfig -p) 2>/dev/null | sed -n 's|.*=> \(/.*\)/[^/]*$|\1|p' | sort -u
	printf '%s\n' /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib /usr/lib/x86_64-linux-gnu/nvidia/current /usr/lib64/nvidia \
		/usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/lib/wsl/lib /run/opengl-driver/lib /opt/nvidia/lib64 \
		/opt/rocm/lib /usr/lib/x86_64-linux-gnu/intel-opencl
}

# The first of the folders that holds a library.
folder_of() {
	local folder
	while read -r folder; do
		if [[ -n $folder && -e $folder/$1 ]]; then
			printf '%s\n' "$folder"
			return
		fi
	done < <(library_folders)
}

# The OpenCL loader of the bundle reads $out/vendors: what the system registers, and the vendors' drivers that are there
# without being registered, as in containers.
find_drivers() {
	local library folder
	[[ -z ${OCL_ICD_VENDORS:-} ]] || return 0
	mkdir -p "$out/vendors"
	rm -f "$out"/vendors/*.icd
	for library in /etc/OpenCL/vendors/*.icd; do
		cp "$library" "$out/vendors/"
	done
	export OCL_ICD_VENDORS=$out/vendors
	for library in libnvidia-opencl.so.1 libamdocl64.so libigdrcl.so; do
		cat "$out"/vendors/*.icd /dev/null | grep -qF "${library%%.so*}" && continue
		folder=$(folder_of "$library")
		[[ -n $folder ]] || continue
		printf '%s\n' "$folder/$library" >"$out/vendors/${library%%.so*}.icd"
		case $folder in
		/lib* | /usr/lib | /usr/lib64 | /usr/lib/x86_64-linux-gnu) ;;
		*) export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder ;; # where the driver finds its own parts
		esac
	done
}

# A host with an older glibc than the bundle's C++ runtime needs may have a runtime of its own that does.
fit_runtime() {
	local folder name
	"$here/bin/enamel-simulate" --help >/dev/null 2>&1 && return
	mkdir -p "$out/host-lib"
	while read -r folder; do
		for name in libstdc++.so.6 libgcc_s.so.1; do
			[[ -z $folder || ! -e $folder/$name || -e $out/host-lib/$name ]] || ln -s "$folder/$name" "$out/host-lib/$name"
		done
	done < <(library_folders)
	export LD_LIBRARY_PATH=$out/host-lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	if ! "$here/bin/enamel-simulate" --help >"$out/runtime.log" 2>&1; then
		printf 'run.sh: the programs do not start here: %s\n' "$(tail -n 1 "$out/runtime.log")" >&2
		exit 3
	fi
	echo "C++ runtime: this machine's, since its glibc is too old for the bundle's"
}

# step NAME COMMAND...: runs it, its output to OUT/NAME.log and the terminal.
step() {
	local name=$1
	shift
	printf '\n== %s ==\n' "$name"
	"$@" 2>&1 | tee "$out/$name.log"
	if [[ ${PIPESTATUS[0]} != 0 ]]; then
		printf '%s: FAILED\n' "$name"
		failed=1
	fi
}

# shellcheck disable=SC2317 # called by step
kernel_tests() {
	local test status=0 tests=("$here"/tests/*)
	[[ ${#tests[@]} -gt 0 ]] || echo 'this bundle was made without tests'
	for test in "${tests[@]}"; do
		if "$test" >"$out/test.log" 2>&1; then
			printf 'passed  %s\n' "$(basename "$test")"
		else
			printf 'FAILED  %s\n' "$(basename "$test")"
			tail -n 20 "$out/test.log"
			status=1
		fi
	done
	rm -f "$out/test.log"
	return "$status"
}

find_drivers
fit_runtime
export ENAMEL_CACHE_DIR=$out/cache
export POCL_CACHE_DIR=$out/cache/pocl
mkdir -p "$POCL_CACHE_DIR"
export ENAMEL_BIN=$here/bin ENAMEL_RESULTS=$out/results ENAMEL_BENCH_DATA=$out/data
ENAMEL_COMMIT=$(cat "$here/COMMIT")
export ENAMEL_COMMIT

# A scan of four times the pixels, made once.
large_scan() {
	local folder=$out/data/large
	[[ -d $folder ]] || "$here/bin/enamel" simulate arch "$folder" --seed 1 --speed-mm-s 12 --size 640x480 --frames 300 >/dev/null
	printf '%s\n' "$folder"
}

echo "enamel $ENAMEL_COMMIT, OpenCL drivers: $(cat "$OCL_ICD_VENDORS" "$OCL_ICD_VENDORS"/*.icd 2>/dev/null | tr '\n' ' ')"
device=()
[[ -z ${ENAMEL_TEST_DEVICE:-} ]] || device=(--device "$ENAMEL_TEST_DEVICE")

step devices "$here/bin/enamel" devices --check
step tests kernel_tests
step replay "$here/bin/enamel" replay "$here/data/arch" --start-at-truth --out "$out/scan.ply" "${device[@]}" \
	--trajectory "$out/trajectory.txt" --report "$out/report.json" --preview "$out/preview.png"
step evaluate "$here/bin/enamel" evaluate "$out/scan.ply" --dataset "$here/data/arch" --trajectory "$out/trajectory.txt" \
	--report "$out/evaluate.json"
if [[ -n $quick ]]; then
	step bench bash "$here/bench/run.sh" --runs 1 "$here/data/arch" "${device[@]}"
else
	step bench bash "$here/bench/run.sh" "$here/data/arch" "${device[@]}"
	step bench-arch bash "$here/bench/run.sh" arch "${device[@]}"
	step frames bash "$here/bench/frames.sh" arch "${device[@]}"
	step frames-640x480 bash "$here/bench/frames.sh" "$(large_scan)" "${device[@]}"
	step tune "$here/bin/enamel" devices --tune "${device[@]}"
fi
printf '\n%s; reports are in %s\n' "$([[ $failed == 0 ]] && echo 'all went well' || echo 'something FAILED')" "$out"
exit $failed
