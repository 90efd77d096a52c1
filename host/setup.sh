#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The set-up step that demo, tests and benches share. Run it from any folder, as often as you like.
#
#   bash host/setup.sh                                          install the Debian packages that are missing
#   bash host/setup.sh FOLDER [CMAKE_OPTION...] [-- TARGET...]  that, and build into FOLDER (default targets: all)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
	printf 'setup: %s\n' "$*" >&2
	exit 2
}

# The names of packages.txt that are not installed.
missing_packages() {
	local name
	while read -r name; do
		case $name in '' | '#'*) continue ;; esac
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s\n' "$name"
	done <"$root/host/packages.txt"
}

as_root() {
	if [[ $(id -u) == 0 ]]; then
		DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

# Runs quietly; its output is shown only when it fails.
quietly() {
	local log
	log=$(mktemp)
	if ! "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

install_packages() {
	local names
	command -v dpkg-query >/dev/null ||
		die "this is no Debian; install what host/packages.txt names by other means, then build with CMake"
	mapfile -t names < <(missing_packages)
	[[ ${#names[@]} == 0 ]] && return
	printf 'setup: installing %s\n' "${names[*]}"
	if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
		die "packages are missing and this is neither root nor is there sudo: apt-get install ${names[*]}"
	fi
	# A fresh image has no package lists, and old lists name packages that are gone: so a failure brings new ones.
	if ! as_root apt-get install -y --no-install-recommends "${names[@]}" >/dev/null 2>&1; then
		quietly as_root apt-get update || die "apt-get update failed (no network?)"
		quietly as_root apt-get install -y --no-install-recommends "${names[@]}" || die "apt-get install failed"
	fi
}

build() {
	local folder=$1 options=() targets=()
	shift
	while [[ $# -gt 0 && $1 != -- ]]; do
		options+=("$1")
		shift
	done
	[[ $# -gt 1 ]] && targets=(--target "${@:2}")
	printf 'setup: building in %s\n' "$folder"
	[[ -e $folder/CMakeCache.txt ]] || options+=(-G Ninja)
	quietly cmake -S "$root" -B "$folder" "${options[@]}" || die "cmake failed for $folder"
	quietly cmake --build "$folder" --parallel "$(nproc)" "${targets[@]}" || die "the build in $folder failed"
}

install_packages
[[ $# == 0 ]] || build "$@"
