#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The installed library as its users meet it. WORK is a folder to write in; `install` fills WORK/prefix for the others.
#
#   consumer.sh install WORK BUILD       install the build tree
#   consumer.sh programs WORK            the installed programs find their library with nothing set
#   consumer.sh cmake WORK C|CXX         the example through find_package(Enamel), compiled, run, its mesh looked at
#   consumer.sh pkgconfig WORK C|CXX     the same through pkg-config
#   consumer.sh symbols WORK             the library exports enm_* and nothing else, and has its version in its name
#   consumer.sh plugin WORK              the header for scanner makers' plugins, alone: C99, C++17, and the example of a plugin
#   consumer.sh readme                   the example in README.md is example.c
# CMAKE, CFLAGS and CXXFLAGS are obeyed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)
what=${1:?what to test}
work=${2:-}
cmake=${CMAKE:-cmake}

die() {
	printf 'consumer %s: %s\n' "$what" "$*" >&2
	exit 1
}

# The folder of PREFIX that holds the library, whatever this system calls it.
library_folder() {
	local found
	found=$(find "$work/prefix" -name libenamel.so -printf '%h\n')
	[[ -n $found ]] || die "no libenamel.so below $work/prefix"
	printf '%s\n' "$found"
}

run_example() {
	local program=$1 mesh=$2 tracked faces
	rm -f "$mesh"
	tracked=$(LD_LIBRARY_PATH=$(library_folder) "$program" "$mesh" | grep -c 'verdict 0')
	[[ $tracked == 20 ]] || die "$tracked of 20 frames were tracked"
	faces=$(sed -n 's/^element face //p' "$mesh" | head -n 1)
	[[ $faces -gt 10000 ]] || die "the mesh has only $faces triangles"
	printf '%s frames tracked, %s triangles\n' "$tracked" "$faces"
}

do_install() {
	rm -rf "$work/prefix"
	"$cmake" --install "$1" --prefix "$work/prefix" >/dev/null
}

do_programs() {
	local name
	for name in enamel enamel-simulate enamel-evaluate; do
		env -i "$work/prefix/bin/$name" --help >/dev/null || die "$name --help failed"
	done
	# into a file: grep would close the pipe before all is written
	env -i "$work/prefix/bin/enamel" simulate --help >"$work/help" || die "enamel does not find enamel-simulate"
	grep -q arch "$work/help" || die "enamel simulate --help says nothing of the arch"
}

do_cmake() {
	local build=$work/cmake-$1
	rm -rf "$build"
	"$cmake" -S "$here/project" -B "$build" -DCMAKE_PREFIX_PATH="$work/prefix" -DEXAMPLE_LANGUAGE="$1" >/dev/null
	"$cmake" --build "$build" >/dev/null
	run_example "$build/example" "$build/scan.ply"
}

do_pkgconfig() {
	local build=$work/pkgconfig-$1 flags compile
	rm -rf "$build"
	mkdir -p "$build"
	PKG_CONFIG_PATH=$(library_folder)/pkgconfig
	export PKG_CONFIG_PATH
	pkg-config --atleast-version=0.1.0 enamel || die "pkg-config finds no enamel 0.1.0"
	read -ra flags <<<"$(pkg-config --cflags --libs enamel)"
	if [[ $1 == C ]]; then
		read -ra compile <<<"${CC:-cc} -std=c11 ${CFLAGS:-} -x c"
	else
		read -ra compile <<<"${CXX:-c++} -std=c++17 ${CXXFLAGS:-} -x c++"
	fi
	"${compile[@]}" -Wall -Wextra -Wpedantic -Werror "$here/example.c" -x none "${flags[@]}" -lm -o "$build/example"
	run_example "$build/example" "$build/scan.ply"
}

do_symbols() {
	local library others
	library=$(library_folder)/libenamel.so
	nm -D --defined-only "$library" >"$work/symbols"
	grep -q ' T enm_session_push$' "$work/symbols" || die "enm_session_push is not exported"
	others=$(nm -D --defined-only "$library" | awk '$3 !~ /^enm_/ { print $3 }')
	[[ -z $others ]] || die "exported beside enm_*: $others"
	readelf -d "$library" | grep -Eq 'SONAME.*libenamel\.so\.[0-9]+\]' || die "no version in the library's SONAME"
}

do_plugin() {
	local include
	include=$(find "$work/prefix" -path '*/enamel/enamel_plugin.h' -printf '%h\n')
	[[ -n $include ]] || die "no enamel/enamel_plugin.h below $work/prefix"
	printf '#include "enamel_plugin.h"\nint main(void) { return ENAMEL_PLUGIN_OK; }\n' >"$work/plugin.c"
	"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror -I "$include" -fsyntax-only "$work/plugin.c"
	"${CXX:-c++}" -std=c++17 -Wall -Wextra -Wpedantic -Werror -I "$include" -fsyntax-only -x c++ "$work/plugin.c"
	"${CC:-cc}" -shared -fPIC -fvisibility=hidden -I "$include" "$here/../host/plugin_waves.c" -lm -o "$work/waves.so"
	nm -D --defined-only "$work/waves.so" | grep -q ' T enamel_plugin$' || die "enamel_plugin is not exported"
}

# The block of README.md that begins with example.c's first line must be all of it.
do_readme() {
	awk '/^```/ { inside = !inside; if (inside) { text = ""; next } if (index(text, "enamel.h")) { printf "%s", text; exit } }
		inside { text = text $0 "\n" }' "$source_root/README.md" | diff - "$here/example.c" ||
		die "README.md shows another program than tests/consumer/example.c"
}

case $what in
install | programs | cmake | pkgconfig | symbols | plugin)
	[[ -n $work ]] || die "no folder to work in"
	mkdir -p "$work"
	"do_$what" "${@:3}"
	;;
readme) do_readme ;;
*) die "unknown test" ;;
esac
