#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The two trackers on the same frames: direct alignment to the distance field, and point-to-plane against a raycast.
#
#   bash bench/trackers.sh [SCENARIO...]     (default: cast crowns-lower room-50 full-passes; see accuracy.sh --list)
#
# Runs them in turns, without closing loops, prints a row per scenario and tracker, and writes results/<device>/trackers.json (default set).
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/scenarios.sh
. "$(dirname "${BASH_SOURCE[0]}")/scenarios.sh"

compare_ways "$0" trackers 'cast crowns-lower room-50 full-passes' 'field:--tracker field --close-loops never' 'raycast:--tracker raycast --close-loops never' -- "$@"
