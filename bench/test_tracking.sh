#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tracking.sh with programs that only pretend: test_tracking.sh FIGURES. What it keeps, skips, refuses and writes.
set -uo pipefail
figures=$1
folder=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=bench/expect.sh
. "$folder/expect.sh"

mkdir "$work/bin" "$work/data" "$work/store" "$work/results"
ln -s "$figures" "$work/bin/enamel-figures"
# Notes what it is asked; a replay or evaluation writes the least that the table needs.
cat >"$work/bin/enamel" <<'END'
#!/bin/bash
echo "$*" >>"$PRETEND_LOG"
value() { # of an option
	local option=$1
	shift
	while [[ $# -gt 1 ]]; do
		[[ $1 != "$option" ]] || { echo "$2" && return; }
		shift
	done
}
case $1 in
--version) echo 1 ;;
simulate) mkdir "${@: -1}" ;;
replay)
	[[ $2 != *"${PRETEND_BROKEN:-none}"* ]] || exit 3
	touch "$(value --out "$@")" "$(value --trajectory "$@")"
	echo '{"device": "Pretended", "frames": 10, "tracked": 10}' >"$(value --report "$@")"
	;;
evaluate) echo '{"tracking": {"in_view": 10, "tracked": 10}}' >"$(value --report "$@")" ;;
esac
END
chmod +x "$work/bin/enamel"
export ENAMEL_BIN=$work/bin ENAMEL_BENCH_DATA=$work/data ENAMEL_SEEDS_STORE=$work/store ENAMEL_RESULTS=$work/results
export ENAMEL_COMMIT=test ENAMEL_SHARED_DATA=$work/none PRETEND_LOG=$work/log
tracking=(bash "$folder/tracking.sh")

# count PATTERN: lines of the log
count() {
	grep -Ec -- "$1" "$PRETEND_LOG" 2>/dev/null || true
}
is() { # WHAT HAVE WANT
	[[ $2 == "$3" ]] || { printf '%s: %s, wanted %s\n' "$1" "$2" "$3" && failed=1; }
}

expect 2 'is not FROM-TO' "${tracking[@]}" --seeds 7
expect 2 '9 is above 3' "${tracking[@]}" --seeds 9-3
expect 2 'no number of minutes' "${tracking[@]}" --minutes soon
expect 2 'needs a value' "${tracking[@]}" --minutes
expect 2 'no such scenario' "${tracking[@]}" clean none-such
expect 2 'unknown option --fast' "${tracking[@]}" --fast
expect 0 '^interruptions$' "${tracking[@]}" --list
expect 0 'keep the simulated scans' "${tracking[@]}" --help
expect 2 'nothing has been measured' "${tracking[@]}" --table

expect 0 'clean full arch +3 .* met' "${tracking[@]}" --seeds 1-3 clean
is 'scans simulated' "$(count '^simulate')" 3
is 'scans left over' "$(find "$work/data" -mindepth 1 | wc -l)" 0
is 'paths' "$(grep -Eo -- '--path [a-z]+' "$PRETEND_LOG" | sort -u | wc -l)" 3
expect 0 'clean full arch +4 ' "${tracking[@]}" --seeds 1-4 --keep clean
is 'scans simulated after going on' "$(count '^simulate')" 4
is 'scans kept' "$(find "$work/data" -mindepth 1 | wc -l)" 1
expect 0 'minutes are over' "${tracking[@]}" --seeds 1-9 --minutes 0 clean
is 'scans simulated without time' "$(count '^simulate')" 4
expect 0 'not complete yet' "${tracking[@]}" --seeds 1-9 --table clean
is 'results of a part' "$(find "$work/results" -type f | wc -l)" 0
expect 0 'written: .*pretended/tracking\.json' "${tracking[@]}" --seeds 1-4 --table --record clean
expect 0 'cast-events left out' "${tracking[@]}" --seeds 1-1 clean cast-events
ENAMEL_COMMIT=later expect 2 'nothing has been measured' "${tracking[@]}" --table

export PRETEND_BROKEN=foreign-30
expect 2 'replay ended with exit code 3' "${tracking[@]}" --seeds 1-1 foreign-30
is 'runs that broke' "$(find "$work/store/tracking/test" -name 'foreign*' | wc -l)" 0
unset PRETEND_BROKEN
expect 0 'foreign bodies' "${tracking[@]}" --seeds 1-1 foreign-30
# what was measured elsewhere counts and is not repeated
cp "$work"/results/pretended/tracking.json "$work/earlier.json"
mv "$work/store" "$work/store.old"
runs=$(count '^simulate')
expect 0 'clean full arch +5 ' "${tracking[@]}" --seeds 1-5 --add "$work/earlier.json" clean
is 'scans simulated beside those added' $(($(count '^simulate') - runs)) 1
expect 0 'clean full arch +5 ' "${tracking[@]}" --seeds 1-5 --table --record --add "$work/earlier.json" clean
expect 0 '^clean-5$' "$figures" runs "$work"/results/pretended/tracking.json
ENAMEL_COMMIT=later expect 2 'is not of these sources \(later\)' "${tracking[@]}" --add "$work/earlier.json"
expect 2 'is no result' "${tracking[@]}" --add "$work/none.json"
exit $failed
