#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the relocatable folder and OUT.tar.gz of it: bundle.sh OUT LIBRARY PROGRAM... -- TEST...
# The programs go to bin/, the tests to tests/, every shared library they need but glibc to lib/, with its licence.
set -euo pipefail
shopt -s nullglob # a build without tests has none to take

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$1 library=$2
shift 2
limit_bytes=$((60 * 1024 * 1024))

die() {
	printf 'bundle: %s\n' "$*" >&2
	exit 1
}

# glibc is the host's: it and the driver's libraries must agree.
is_glibc() {
	case $1 in
	linux-vdso* | ld-linux* | libc.so* | libm.so* | libmvec.so* | libpthread.so* | libdl.so* | librt.so* | libresolv.so* | \
		libutil.so* | libanl.so* | libnss_*) return 0 ;;
	esac
	return 1
}

take_libraries() {
	local name path package
	ldd "$out"/bin/* "$out"/tests/* "$out"/lib/* | awk '$2 == "=>" && $3 != "" { print $1, $3 }' | sort -u |
		while read -r name path; do
			[[ $path != not ]] || die "$name: not found"
			if is_glibc "$name" || [[ -e $out/lib/$name ]]; then
				continue
			fi
			install -m 644 "$(readlink -f "$path")" "$out/lib/$name"
			package=$(dpkg -S "$(readlink -f "$path")" 2>/dev/null || dpkg -S "$path") || die "$name: belongs to no package"
			package=${package%%:*}
			cp "/usr/share/doc/$package/copyright" "$out/licences/$package"
		done
}

rm -rf "$out"
mkdir -p "$out"/{bin,lib,tests,data,bench,licences}
while [[ $1 != -- ]]; do
	install -m 755 "$1" "$out/bin/"
	shift
done
shift
[[ $# == 0 ]] || install -m 755 "$@" "$out/tests/"
install -m 755 "$library" "$out/lib/$(basename "$library" | sed 's/\(\.so\.[0-9]*\).*/\1/')"
take_libraries
strip --strip-unneeded "$out"/bin/* "$out"/lib/* "$out"/tests/*
patchelf --set-rpath "\$ORIGIN/../lib" "$out"/bin/* "$out"/tests/*
patchelf --set-rpath "\$ORIGIN" "$out"/lib/*

cp "$here/run.sh" "$out/"
cp "$root"/bench/{common.sh,run.sh,frames.sh,scaling.sh,README.md} "$out/bench/"
cp "$root/LICENSE" "$out/licences/enamel"
commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown
[[ $commit == unknown ]] || git -C "$root" diff --quiet HEAD -- engine kernels host bench || commit+=+
printf '%s\n' "$commit" >"$out/COMMIT"
"$out/bin/enamel" simulate arch "$out/data/arch" --seed 1 --path occlusal --speed-mm-s 12 --to-percent 35 --cell-mm 0.5 >/dev/null

tar -C "$(dirname "$out")" -czf "$out.tar.gz.part" "$(basename "$out")"
size=$(stat -c %s "$out.tar.gz.part")
[[ $size -lt $limit_bytes ]] || die "$size bytes are more than 60 MiB"
mv "$out.tar.gz.part" "$out.tar.gz"
printf 'bundle: %s and %s.tar.gz, %d MiB\n' "$out" "$out" $((size / 1024 / 1024))
