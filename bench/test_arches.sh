#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# arches.sh with programs that only pretend: test_arches.sh FIGURES. What it keeps, skips, refuses and writes.
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
simulate)
	mkdir "${@: -1}"
	echo "{\"residual\": {\"bow_um\": $(value --bow-um "$@")}}" >"${@: -1}/truth.json"
	;;
replay)
	[[ $2 != *"${PRETEND_BROKEN:-none}"* ]] || exit 3
	touch "$(value --out "$@")" "$(value --trajectory "$@")"
	refined=''
	[[ $* != *--refine\ standard* ]] || refined=', "refine": {"residual": {"bow_um": {"value": -4.75}}, "wall_s": 10, "frames": 450}'
	echo "{\"device\": \"Pretended\"$refined}" >"$(value --report "$@")"
	;;
evaluate)
	worst=60
	[[ $* != *-live/* ]] || worst=150
	[[ $* != *-alone/* ]] || worst=30
	echo "{\"spheres\": {\"worst_error_um\": -61, \"max_um\": 61}, \"precision\": {\"rms_worst_um\": 14}, \"trajectory\": {\"pinned_first\": {\"translation\": {\"median_um\": 46, \"max_um\": $worst}}}}" \
		>"$(value --report "$@")"
	;;
esac
END
chmod +x "$work/bin/enamel"
export ENAMEL_BIN=$work/bin ENAMEL_BENCH_DATA=$work/data ENAMEL_SEEDS_STORE=$work/store ENAMEL_RESULTS=$work/results
export ENAMEL_COMMIT=test ENAMEL_SHARED_DATA=$work/none PRETEND_LOG=$work/log
arches=(bash "$folder/arches.sh")

# count PATTERN: lines of the log
count() {
	grep -Ec -- "$1" "$PRETEND_LOG" 2>/dev/null || true
}
is() { # WHAT HAVE WANT
	[[ $2 == "$3" ]] || { printf '%s: %s, wanted %s\n' "$1" "$2" "$3" && failed=1; }
}

expect 2 'is not FROM-TO' "${arches[@]}" --seeds 7
expect 2 'no such scenario' "${arches[@]}" arch none-such
expect 0 '^rows-and-bodies$' "${arches[@]}" --list
expect 0 'Is the arch bent' "${arches[@]}" --help
expect 2 'nothing has been measured' "${arches[@]}" --table

# an odd seed has a bow of -5: what is found is off by 0.25
expect 0 'bow found, error +met +mean 0.25 .*worst 0.25' "${arches[@]}" --seeds 1-1 arch
is 'replays' "$(count '^replay')" 2
is 'refined ones' "$(count '^replay .*--refine standard')" 1
expect 0 'poses pinned at the first frame, median +missed +mean 46 .*must 45' "${arches[@]}" --seeds 1-1 --table arch
expect 0 'not refined: poses pinned, worst +met +mean 150' "${arches[@]}" --seeds 1-1 --table arch
expect 0 'refinement, s for 900 frames +met +mean 20 ' "${arches[@]}" --seeds 1-1 --table arch
expect 0 'surface best-fit, mean +missed +not there' "${arches[@]}" --seeds 1-1 --table arch
expect 0 'bow found, error +missed .*worst 9.75' "${arches[@]}" --seeds 1-2 arch
expect 0 'median +met +mean 46 .*must 67.5' "${arches[@]}" --seeds 1-1 crowns
expect 0 'distances between spheres, worst +missed +mean 61' "${arches[@]}" --seeds 1-1 phantom
is 'replays before' "$(count '^replay')" 8
expect 0 'poses pinned at the first frame, worst +met +mean 60 .*must 120' "${arches[@]}" --seeds 1-1 rows-and-bodies
is 'replays without a live one' "$(count '^replay')" 9
# poses alone beside poses and residual, of the same frames
expect 0 'times that of poses alone, median +met +mean 1 .*must 1.5' "${arches[@]}" --seeds 1-1 no-bow
expect 0 '\.\.\. worst +missed +mean 2 ' "${arches[@]}" --seeds 1-1 --table no-bow
expect 0 'not refined: poses pinned, worst +met +mean 150' "${arches[@]}" --seeds 1-1 --table no-bow
is 'without any error of the scanner' "$(count '^simulate .*--residual-um 0 .*--bow-um 0 ')" 1
is 'poses alone' "$(count '^replay .*--refine standard --poses-only')" 1
is 'replays with it' "$(count '^replay')" 12
# five scans of one jaw by one scanner
expect 0 'five repeats, surfaces pairwise, rms, worst +met +mean 14 ' "${arches[@]}" --seeds 1-1 repeats
is 'scans of one jaw' "$(count '^simulate phantom --scanner-seed 1 .*--bow-um -5 --seed (1|1001|2001|3001|4001) .*arches-repeats')" 5
is 'of these refined' "$(count '^replay .*arches-repeats-1-.*--refine standard')" 5
is 'compared' "$(count '^evaluate --repeats( [^ ]*/scan\.ply){5} ')" 1
is 'scans left' "$(find "$work/data" -mindepth 1 | wc -l)" 0
expect 0 'trembling, 1 seeds' "${arches[@]}" --seeds 1-1 trembling
is 'trembling hands' "$(count '^simulate .*--tremor-mrad')" 1
is 'results of a part' "$(find "$work/results" -type f | wc -l)" 0
expect 0 'written: .*pretended/arches\.json' "${arches[@]}" --seeds 1-2 --table --record arch
is 'bow errors' "$(grep -c '"bow_error_um"' "$work/results/pretended/arches.json")" 1
# what was measured elsewhere counts and is not repeated
cp "$work"/results/pretended/arches.json "$work/earlier.json"
mv "$work/store" "$work/store.old"
runs=$(count '^simulate')
expect 0 'arch, 3 seeds' "${arches[@]}" --seeds 1-3 --add "$work/earlier.json" arch
is 'scans simulated beside those added' $(($(count '^simulate') - runs)) 1
expect 0 'arch, 3 seeds' "${arches[@]}" --seeds 1-3 --table --record --add "$work/earlier.json" arch
expect 0 '^arch-3$' "$figures" runs "$work"/results/pretended/arches.json
ENAMEL_COMMIT=later expect 2 'is not of these sources \(later\)' "${arches[@]}" --add "$work/earlier.json"
expect 2 'is no result' "${arches[@]}" --add "$work/none.json"
exit $failed
