#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a kernel test with small sizes under Oclgrind: oclgrind.sh TEST. Oclgrind exits 0 whatever it finds, so the log
# decides. It looks for data races and accesses out of range.
#
# Not for reads of what was never written: Oclgrind 21.10 (Debian 12) crashes in that check on vectors such as
# (float3)(float2, float), and where it does not, calls the fourth lane of a float3 uninitialised. ENAMEL_TEST_UNINITIALIZED=1
# switches it on for a newer one; until then the guarded buffers of the other runs are filled with changing bytes.
#
# One race is meant and left out: in allocate_mark items ask a byte of the grid whether another has answered for its block; all
# would write the same answer there, and who misses it looks for itself. Writes that differ are another kind of record.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
ENAMEL_TEST_SMALL=1 ENAMEL_TEST_DEVICE=oclgrind ENAMEL_CACHE_DIR="$folder/cache" \
	oclgrind --data-races --max-errors 1000000 ${ENAMEL_TEST_UNINITIALIZED:+--uninitialized} --log "$folder/log" "$1"
status=$?
# a record is a paragraph
awk 'BEGIN { RS = ""; ORS = "\n\n" }
	!(/^Read-write data race/ && /Kernel: allocate_mark\n/ && /= load i8/ && /store i8/)' "$folder/log" >"$folder/found" || exit 1
if [ -s "$folder/found" ]; then
	echo "Oclgrind found:"
	head -n 60 "$folder/found"
	exit 1
fi
exit $status
