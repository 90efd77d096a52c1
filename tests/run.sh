#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds with warnings as errors, and runs the tests. From any folder, as often as you like.
#
#   bash tests/run.sh             everything but the slow tests, with a slice under the sanitizers: within 12 minutes on two cores
#   bash tests/run.sh --slow      the slow ones
#   bash tests/run.sh --oclgrind  the kernels under Oclgrind, slow ones too
#   bash tests/run.sh --rusticl   the kernels on Mesa's software device, slow ones too
#   bash tests/run.sh --asan      all of them under the address and undefined-behaviour sanitizers
#   bash tests/run.sh --all       all of that, within 80 minutes
#
# Each kind is one run of ctest; the first that fails is the last to run. At the end stands how long each part took, and which
# tests took longest, so that growth is seen.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
plain=$root/build
asan=$root/build-asan

# The tests bring their own display and caches.
unset DISPLAY WAYLAND_DISPLAY ENAMEL_CACHE_DIR ENAMEL_KERNEL_DIR

notes=$(mktemp -d)

tell_times() {
	local log
	[[ -s $notes/parts ]] || return 0
	printf '\n== times ==\n'
	cat "$notes/parts"
	for log in "$notes"/*.log; do
		[[ -f $log ]] || return 0
		printf '\nThe longest tests in %s:\n' "$(basename "$log" .log)"
		sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .* ([0-9.]+) sec.*/\2 s  \1/p' "$log" | sort -rn | head -n 10
	done
}
trap 'tell_times; rm -rf "$notes"' EXIT

# part WHAT COMMAND...: keeps how long the command took.
part() {
	local what=$1 start=$SECONDS
	shift
	"$@"
	printf '%5d s  %s\n' $((SECONDS - start)) "$what" >>"$notes/parts"
}

build() {
	part build bash "$root/host/setup.sh" "$plain" -DENAMEL_TESTS=ON -DENAMEL_VIEWER=ON -DENAMEL_WERROR=ON
}

# build_asan [TARGET...]: -O1 compiles twice as fast, and the sanitizers want no more; what warnings have to say, they say above.
build_asan() {
	part "sanitized build" bash "$root/host/setup.sh" "$asan" -DENAMEL_TESTS=ON -DENAMEL_VIEWER=ON -DENAMEL_WERROR=OFF \
		-DENAMEL_SANITIZE=ON -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g1 -DNDEBUG" -DENAMEL_TEST_CACHE="$plain/tests" -- "$@"
}

# run_tests FOLDER WHAT CTEST_OPTION...: one more at a time than there are cores, since some do little but wait.
run_tests() {
	local folder=$1 what=$2
	shift 2
	printf '\n== %s ==\n' "$what"
	part "$what" ctest --test-dir "$folder" --output-on-failure --no-tests=error --parallel $(($(nproc) + 1)) \
		--output-log "$notes/$(basename "$folder").log" "$@"
}

run_asan() {
	LSAN_OPTIONS=suppressions=$root/tests/lsan.supp:print_suppressions=0 run_tests "$asan" "$@"
}

usage() {
	sed -n '5,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

case ${1:-} in
--help) usage ;;
'')
	build
	run_tests "$plain" "all but the slow tests" -LE slow
	build_asan sanitized_slice
	run_asan "a slice under the sanitizers" -LE slow -R '^(unit_|host_|fuzz_|kernel_gpu_faults)' -E '^host_(batch|certainty|recordings_kill|evaluate_(arch|surface))$'
	;;
--slow)
	build
	run_tests "$plain" "slow tests" -L slow
	;;
--oclgrind | --rusticl)
	build
	run_tests "$plain" "kernels: ${1#--}" -L "${1#--}"
	;;
--asan)
	build_asan
	run_asan "under the sanitizers"
	;;
--all)
	build
	run_tests "$plain" "all tests"
	build_asan
	run_asan "under the sanitizers"
	;;
*)
	printf 'run.sh: unknown option %s\n' "$1" >&2
	usage >&2
	exit 2
	;;
esac
