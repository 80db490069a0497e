#!/usr/bin/env bash
# Builds the release archives for this machine's architecture, in dist/:
#   attune-VERSION-linux-ARCH.tar.gz   bin/, man pages, completions, docs, schemas; needs only glibc and libstdc++
#   attune_VERSION_ARCH.deb            the same as a Debian package
# The Swift runtime and the C libraries are linked statically. Build products stay in .build-dist.
set -euo pipefail
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE

say() { printf '%s\n' "dist: $*"; }
version=$(sed -n 's/.*attuneVersion = "\(.*\)".*/\1/p' $(grep -rl 'let attuneVersion' Sources | head -1))
[ -n "$version" ] || { echo "dist: cannot find attuneVersion in Sources" >&2; exit 1; }
machine=$(uname -m)
scratch=.build-dist

# The linker takes the first folder that has a library, in whatever form: this one has archives only.
archives=$PWD/$scratch/archives
say "version $version; collecting static libraries"
rm -rf "$archives"
mkdir -p "$archives"
triplet=$(gcc -print-multiarch)
link() { ln -s "$1" "$archives/lib$2.a"; }
link "/usr/lib/$triplet/libhdf5_serial.a" hdf5
for name in png16 jpeg z zstd sqlite3 crypto sz aec webp sharpyuv; do
    [ -e "/usr/lib/$triplet/lib$name.a" ] && link "/usr/lib/$triplet/lib$name.a" "$name"
done
link "$(readlink -f "/usr/lib/$triplet/openblas-pthread/libopenblas.a")" openblas
gfortran=$(gcc -print-file-name=libgfortran.a)
quadmath=$(gcc -print-file-name=libquadmath.a)
extra=(-Xlinker "-L$archives")
# Archives need what they use after them: HDF5 its compressors, OpenBLAS the Fortran runtime.
for library in sz aec; do extra+=(-Xlinker "-l$library"); done
[ -e "$archives/libsharpyuv.a" ] && extra+=(-Xlinker -lsharpyuv)
if [ -e "$gfortran" ]; then
    ln -s "$gfortran" "$archives/libgfortran.a"
    extra+=(-Xlinker -lgfortran)
    if [ -e "$quadmath" ]; then
        ln -s "$quadmath" "$archives/libquadmath.a"
        extra+=(-Xlinker -lquadmath)
    fi
fi

say "building (about ten minutes on two cores the first time)"
swift build -c release --product attune --static-swift-stdlib --scratch-path "$scratch" "${extra[@]}"
binary=$scratch/release/attune

stage=$scratch/stage/attune-$version
rm -rf "$scratch/stage" dist
mkdir -p "$stage/bin" "$stage/share/man/man1" "$stage/share/doc/attune" dist
install -m 755 "$binary" "$stage/bin/attune"
strip --strip-unneeded "$stage/bin/attune"

Scripts/extras.sh "$stage/bin/attune" "$stage/share"
cp README.md CHANGELOG.md LICENSE "$stage/share/doc/attune/"
cp -r docs schemas examples "$stage/share/doc/attune/"

say "licenses of what is linked in"
licenses=$stage/share/doc/attune/licenses
mkdir -p "$licenses"
for package in libhdf5-dev libpng-dev libjpeg62-turbo-dev zlib1g-dev libzstd-dev libsqlite3-dev libssl-dev libaec-dev libopenblas-dev libwebp-dev; do
    [ -e "/usr/share/doc/$package/copyright" ] && cp "/usr/share/doc/$package/copyright" "$licenses/$package.txt"
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
cp "$stage/bin/attune" "$deb/usr/bin/"
cp -r "$stage/share/." "$deb/usr/share/"
# Debian's zsh looks here.
mv "$deb/usr/share/zsh/site-functions" "$deb/usr/share/zsh/vendor-completions"
find "$deb/usr/share/man" -name '*.1' -exec gzip -9n {} +
cp packaging/copyright "$deb/usr/share/doc/attune/copyright"
gzip -9nc CHANGELOG.md >"$deb/usr/share/doc/attune/changelog.gz"
# What the binary still loads, as package dependencies.
(cd "$deb" && mkdir debian && printf 'Source: attune\n\nPackage: attune\nArchitecture: any\n' >debian/control &&
    dpkg-shlibdeps -O --ignore-missing-info usr/bin/attune 2>/dev/null >../shlibs || true; rm -rf debian)
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
say "what the binary still loads:"
ldd "$stage/bin/attune"
