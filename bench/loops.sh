#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What closing loops while scanning gains: the same frames with it and without.
#
#   bash bench/loops.sh [SCENARIO...]     (default: cast crowns-lower full-passes lift-offs foreign-bodies double-speed; see accuracy.sh --list)
#
# Runs them in turns, prints a row per scenario and way, and writes results/<device>/loops.json (default set). See README.md.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=bench/scenarios.sh
. "$(dirname "${BASH_SOURCE[0]}")/scenarios.sh"

compare_ways "$0" loops 'cast crowns-lower full-passes lift-offs foreign-bodies double-speed' 'open:--close-loops never' closed: -- "$@"
