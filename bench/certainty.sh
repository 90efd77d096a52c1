#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Do the errors that a refined scan tells of itself hold? Half arches by seed: simulated, refined, the distances between their cusps judged
# against the truth.
#
#   bash bench/certainty.sh [--seeds FROM-TO] [--minutes N] [--add RESULT] [--keep] [--record] [--table] [SCENARIO...]
#
#   --seeds FROM-TO   301-350 by default, the seeds that figures are made of; lower ones are for tuning
#   --minutes N       begin nothing new after N minutes (45); run it again and it goes on where it was
#   --add RESULT      count the runs of an earlier result (*.json) of the same sources, from whichever machine, and do not repeat them
#   --keep            keep the simulated scans (about 0.04 GB each); else they are removed after use
#   --record          write results/<device>/certainty.json of what there is; else only when all is there
#   --table           run nothing, print what there is
#   --list            the scenarios
#
# What was measured stays in build/bench/certainty/<state of the sources>/SCENARIO-SEED. ENAMEL_REFINE is the level of refinement (standard).
# See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/seeds.sh
. "$(dirname "${BASH_SOURCE[0]}")/seeds.sh"

simulated_ones=(half flat)
recorded=()
figures_from=301 figures_to=350

# Few frames, so that many seeds are cheap. No error of gain: what is told without that of scale is what is judged. `flat` is one pass that does not
# tell the bow: intervals must be wide there, not wrong.
options_of() {
	local bow=5 passes=passes
	[[ $(($2 % 2)) == 0 ]] || bow=-5
	[[ $1 != flat ]] || passes=occlusal
	printf '%s\n' arch --path "$passes" --no-gain --bow-um "$bow" --seed "$2" --to-percent 50 --fps 15
}

measure_one() {
	local name=$2 dataset=$3
	measure "$name" "$dataset" --refine "${ENAMEL_REFINE:-standard}" --distances "$dataset/truth.json"
	cp "$dataset/truth.json" "$work/$name/"
}

seeds_main certainty "$@"
