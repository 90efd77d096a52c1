#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# certainty.sh with programs that only pretend: test_certainty.sh FIGURES. What it asks for, counts and writes.
set -uo pipefail
figures=$1
folder=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=bench/expect.sh
. "$folder/expect.sh"

mkdir "$work/bin" "$work/data" "$work/store" "$work/results"
ln -s "$figures" "$work/bin/enamel-figures"
# Three cusps: two distances of 8 and one of 16 mm. The middle one is found 0.05 mm farther along, the intervals reach to 0.0588.
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
	echo "{\"residual\": {\"bow_um\": $(value --bow-um "$@")}, \"landmarks\": {\"a\": [0, 0, 0], \"b\": [8, 0, 0], \"c\": [16, 0, 0]}}" >"${@: -1}/truth.json"
	;;
replay)
	touch "$(value --out "$@")" "$(value --trajectory "$@")"
	[[ -f $(value --distances "$@") ]] || exit 2
	cat >"$(value --report "$@")" <<-REPORT
		{"device": "Pretended", "refine": {"residual": {"bow_um": {"value": -4, "sigma": 0.4}}, "distances": {"list": [
		{"from": "a", "to": "b", "sigma_um": 30}, {"from": "a", "to": "c", "sigma_um": 30},
		{"from": "b", "to": "c", "sigma_um": ${PRETEND_SIGMA:-30}}, {"from": "a", "to": "unseen", "sigma_um": 1}]}}}
	REPORT
	;;
evaluate)
	cat >"$(value --report "$@")" <<-REPORT
		{"landmarks": {"marks": [{"name": "a", "state": "placed", "shift_xyz_um": [0, 0, 0]},
		{"name": "b", "state": "placed", "shift_xyz_um": [50, 0, 0]}, {"name": "c", "state": "placed", "shift_xyz_um": [0, 0, 0]}]}}
	REPORT
	;;
esac
END
chmod +x "$work/bin/enamel"
export ENAMEL_BIN=$work/bin ENAMEL_BENCH_DATA=$work/data ENAMEL_SEEDS_STORE=$work/store ENAMEL_RESULTS=$work/results
export ENAMEL_COMMIT=test ENAMEL_SHARED_DATA=$work/none PRETEND_LOG=$work/log
certainty=(bash "$folder/certainty.sh")

is() { # WHAT HAVE WANT
	[[ $2 == "$3" ]] || { printf '%s: %s, wanted %s\n' "$1" "$2" "$3" && failed=1; }
}

expect 2 'no such scenario' "${certainty[@]}" half none-such
expect 0 'Do the errors' "${certainty[@]}" --help
expect 2 'nothing has been measured' "${certainty[@]}" --table

# an odd seed has a bow of -5: what is found is off by 2.5 sigmas
expect 0 '10 to 20 mm +1, 100.0 % in the interval; errors 0.0 um rms, told 30.0' "${certainty[@]}" --seeds 1-1 half
is 'replays' "$(grep -c '^replay .*--refine standard --distances' "$PRETEND_LOG")" 1
expect 0 '0 to 10 mm +2, 100.0 % in the interval; errors 50.0 um rms, told 30.0; squared in their unit 2.78' "${certainty[@]}" --seeds 1-1 --table half
expect 0 'distances +3, 100.0 %' "${certainty[@]}" --seeds 1-1 --table half
expect 0 'terms +1, +0.0 % in the interval; errors 1.0 um rms, told 0.4' "${certainty[@]}" --seeds 1-1 --table half
expect 0 'missed: 93 to 97 %' "${certainty[@]}" --seeds 1-1 --table half
export PRETEND_SIGMA=20
expect 0 'distances +3, +66.7 %' "${certainty[@]}" --seeds 2-2 half
expect 0 'distances +6, +83.3 %' "${certainty[@]}" --seeds 1-2 --table half
is 'a flat one' "$(grep -c 'simulate arch --path occlusal' "$PRETEND_LOG")" 0
expect 0 'flat, 1 seeds' "${certainty[@]}" --seeds 1-1 flat
is 'a flat one' "$(grep -c 'simulate arch --path occlusal' "$PRETEND_LOG")" 1
expect 0 'written: .*pretended/certainty\.json' "${certainty[@]}" --seeds 1-2 --table --record half
result=$work/results/pretended/certainty.json
is 'rows' "$(grep -c '"normalised"' "$result")" 6
# what another machine has measured counts, once, and is not repeated
rm -r "$work/store"/*/*/half-1
expect 0 'distances +9, +77.8 %' "${certainty[@]}" --seeds 1-3 --add "$result" half
is 'replays with two seeds known' "$(grep -c '^replay ' "$PRETEND_LOG")" 4
expect 0 'distances +6, +83.3 %' "${certainty[@]}" --seeds 2-2 --table --add "$result" half
sed -i 's/"sources": "[^"]*"/"sources": "others"/' "$result"
expect 2 'not of these sources' "${certainty[@]}" --seeds 1-2 --add "$result" half
exit $failed
