#!/usr/bin/env bash
# Builds the release archives for this machine's architecture, in dist/:
#   attune-VERSION-linux-ARCH.tar.gz   bin/, the C libraries in lib/attune, man pages, completions, docs, schemas; needs only
#                                      glibc and libstdc++
#   attune_VERSION_ARCH.deb            the same as a Debian package
# The Swift runtime is linked statically; the package depends on Debian's C libraries, the archive brings them along.
# Build products stay in .build-dist.
set -euo pipefail
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE

say() { printf '%s\n' "dist: $*"; }
version=$(sed -n 's/.*attuneVersion = "\(.*\)".*/\1/p' $(grep -rl 'let attuneVersion' Sources | head -1))
[ -n "$version" ] || { echo "dist: cannot find attuneVersion in Sources" >&2; exit 1; }
machine=$(uname -m)
scratch=.build-dist

say "building (about five minutes on two cores the first time)"
for product in attune attune-gallery; do
    swift build -c release --product "$product" --static-swift-stdlib --scratch-path "$scratch"
done

stage=$scratch/stage/attune-$version
rm -rf "$scratch/stage" dist
mkdir -p "$stage/bin" "$stage/share/man/man1" "$stage/share/doc/attune" dist
install -m 755 "$scratch/release/attune" "$scratch/release/attune-gallery" "$stage/bin"
strip --strip-unneeded "$stage/bin/attune" "$stage/bin/attune-gallery"

Scripts/extras.sh "$stage/bin/attune" "$stage/share"
cp README.md CHANGELOG.md LICENSE "$stage/share/doc/attune/"
cp -r docs schemas examples "$stage/share/doc/attune/"

say "C libraries for the archive"
command -v patchelf >/dev/null || { echo "dist: patchelf is missing: run Scripts/setup.sh dist" >&2; exit 1; }
libraries=$stage/lib/attune
mkdir -p "$libraries" "$scratch/plain"
cp "$stage/bin/attune" "$stage/bin/attune-gallery" "$scratch/plain/" # what the Debian package holds
# All but the C and C++ runtimes, which every system has and which must fit its kernel.
ldd "$stage/bin/attune" | awk '$2 == "=>" { print $3 }' |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv|libstdc\+\+|libgcc_s|ld-linux[^/]*)\.so' | while read -r library; do
    install -m 755 "$(readlink -f "$library")" "$libraries/$(basename "$library")"
    patchelf --set-rpath '$ORIGIN' "$libraries/$(basename "$library")"
done
for program in attune attune-gallery; do patchelf --set-rpath '$ORIGIN/../lib/attune' "$stage/bin/$program"; done

say "licenses of what is linked in or brought along"
licenses=$stage/share/doc/attune/licenses
mkdir -p "$licenses"
for library in "$libraries"/*; do
    owner=$(dpkg-query -S "*/$(basename "$library")" 2>/dev/null | head -1 | cut -d: -f1)
    [ -n "$owner" ] && cp -L "/usr/share/doc/$owner/copyright" "$licenses/$owner.txt"
done
for folder in "$scratch"/checkouts/*/; do
    for file in LICENSE.txt LICENSE; do
        [ -e "$folder$file" ] && cp "$folder$file" "$licenses/$(basename "$folder").txt" && break
    done
done

say "tar.gz"
# Same input, same archive: names in order, no owner, the commit's time.
epoch=$(git log -1 --format=%ct 2>/dev/null || date +%s)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$scratch/stage" -cf - "attune-$version" |
    gzip -9n >"dist/attune-$version-linux-$machine.tar.gz"

say "Debian package"
deb=$scratch/deb
rm -rf "$deb"
mkdir -p "$deb/DEBIAN" "$deb/usr/bin" "$deb/usr/share"
cp "$scratch/plain/attune" "$scratch/plain/attune-gallery" "$deb/usr/bin/"
cp -r "$stage/share/." "$deb/usr/share/"
# Debian's zsh looks here.
mv "$deb/usr/share/zsh/site-functions" "$deb/usr/share/zsh/vendor-completions"
find "$deb/usr/share/man" -name '*.1' -exec gzip -9n {} +
cp packaging/copyright "$deb/usr/share/doc/attune/copyright"
gzip -9nc CHANGELOG.md >"$deb/usr/share/doc/attune/changelog.gz"
# What the binary still loads, as package dependencies.
(cd "$deb" && mkdir debian && printf 'Source: attune\n\nPackage: attune\nArchitecture: any\n' >debian/control &&
    dpkg-shlibdeps -O --ignore-missing-info usr/bin/attune usr/bin/attune-gallery 2>/dev/null >../shlibs || true; rm -rf debian)
depends=$(sed -n 's/^shlibs:Depends=//p' "$scratch/shlibs")
[ -n "$depends" ] || depends="libc6 (>= 2.36), libgcc-s1, libstdc++6"
cat >"$deb/DEBIAN/control" <<CONTROL
Package: attune
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: The Attune maintainers <maintainers@attune.invalid>
Installed-Size: $(du -sk "$deb/usr" | cut -f1)
Depends: $depends
Recommends: ca-certificates, libcurl4 | libcurl3-gnutls
Section: science
Priority: optional
Description: corpora of generated images scored by mutual information
 Builds, keeps and shares corpora of generated images scored by mutual
 information, and fine-tunes a text-to-image diffusion model on the best of
 them with DoRA. Implements "Information Theoretic Text-to-Image Alignment"
 (arXiv 2405.20759).
CONTROL
dpkg-deb --root-owner-group --build "$deb" "dist/attune_${version}_$(dpkg --print-architecture).deb" >/dev/null

(cd dist && sha256sum -- * >SHA256SUMS)
ls -l dist
say "what the archive's command loads from the system:"
ldd "$stage/bin/attune" | grep -v /lib/attune/
