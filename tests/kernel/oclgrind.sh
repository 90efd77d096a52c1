#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a kernel test with small sizes under Oclgrind: oclgrind.sh TEST. Oclgrind exits 0 whatever it finds, so the log
# decides.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
ENAMEL_TEST_SMALL=1 ENAMEL_TEST_DEVICE=oclgrind ENAMEL_CACHE_DIR="$folder/cache" \
	oclgrind --data-races --uninitialized --log "$folder/log" "$1"
status=$?
if [ -s "$folder/log" ]; then
	echo "Oclgrind found:"
	head -n 60 "$folder/log"
	exit 1
fi
exit $status
