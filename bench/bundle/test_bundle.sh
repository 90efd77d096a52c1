#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The bundle on a machine as bare as can be made here: moved, with an empty environment, and with no library taken from
# outside but glibc's and the driver's. test_bundle.sh BUNDLE WORK ICD
set -euo pipefail
bundle=$1 work=$2 icd=$3

die() {
	printf 'bundle test: %s\n' "$*" >&2
	exit 1
}

[[ -e $icd ]] || { echo "skipped: no $icd here" && exit 77; }
rm -rf "$work"
mkdir -p "$work"
tar -C "$work" -xzf "$bundle.tar.gz"
moved="$work/moved bundle"
mv "$work/$(basename "$bundle")" "$moved"
if outside=$(env -i ldd "$moved"/bin/* "$moved"/tests/* "$moved"/lib/* | grep '=>' | grep -v -F "=> $moved/" |
	grep -Ev '^[[:space:]]*(libc|libm|libmvec|libdl|libpthread|librt|libresolv|libutil)\.so'); then
	die "libraries from outside: $outside"
fi
grep -rlF "$(dirname "$bundle")" "$moved" --include='*.sh' --include='*.json' && die 'it names the folder it was built in'
env -i PATH=/usr/bin:/bin OCL_ICD_VENDORS="$icd" "$moved/run.sh" --quick "$work/out" || die 'run.sh failed'
for file in "$work"/out/{devices.log,tests.log,report.json,evaluate.json,scan.ply,preview.png} "$work"/out/results/*/arch.json; do
	[[ -s $file ]] || die "$file is missing"
done
tracked=$("$moved/bin/enamel-figures" get "$work/out/report.json" tracked)
frames=$("$moved/bin/enamel-figures" get "$work/out/report.json" frames)
[[ $tracked == "$frames" ]] || die "$tracked of $frames frames were tracked"
