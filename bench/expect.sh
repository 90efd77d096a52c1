# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of this folder share; they source it and end with `exit $failed`. Sets `work`, removed at the end.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect CODE PATTERN COMMAND...: the exit code, and what the output (of both streams) matches.
expect() {
	local code=$1 pattern=$2 text got=0
	shift 2
	text=$("$@" 2>&1) || got=$?
	if [[ $got != "$code" ]] || ! grep -Eq -- "$pattern" <<<"$text"; then
		printf '%s\nexit code %s, wanted %s; wanted to see "%s" in:\n%s\n' "$*" "$got" "$code" "$pattern" "$text"
		failed=1
	fi
}

# holds FILE KEY CONDITION: of the number x at the key. Wants `figures`.
holds() {
	local x
	x=$("$figures" get "$1" "$2") || x=none
	if ! awk -v x="$x" "BEGIN { exit !(x != \"none\" && ($3)) }"; then
		printf '%s: %s is %s, wanted %s\n' "$1" "$2" "$x" "$3"
		failed=1
	fi
}

# bench_programs ENAMEL FIGURES OTHER: lets the scripts run these, with data and results of the test's own.
bench_programs() {
	mkdir "$work/bin" "$work/data" "$work/results"
	ln -s "$1" "$work/bin/enamel"
	ln -s "$2" "$work/bin/enamel-figures"
	ln -s "$3" "$work/bin/$(basename "$3")"
	export ENAMEL_BIN=$work/bin ENAMEL_BENCH_DATA=$work/data ENAMEL_RESULTS=$work/results ENAMEL_COMMIT=test
	export ENAMEL_SHARED_DATA=$work/none
}
