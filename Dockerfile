# A small image of the attune command: static Swift runtime, Debian's C libraries, no shell needed to run it, not as root.
#   docker build -t attune .
#   docker run --rm --read-only --cap-drop=ALL -v corpus:/corpus -v /models:/models:ro -v "$PWD/prompts.txt":/prompts.txt:ro attune \
#       generate --model /models/sd-2.1 --prompts /prompts.txt
# docs/cluster.md says more. Build arguments:
#   BUILD     where it is compiled: an image with Swift 6.3 on Debian 12. One that holds /archive/bin/attune is taken as it is.
#   BASE      what it runs on: Debian 12.
#   PACKAGES  further packages of Debian, such as openmpi-bin for mpirun.
ARG BUILD=swift:6.3-bookworm
ARG BASE=debian:bookworm-slim

FROM ${BUILD} AS build
COPY . /source
WORKDIR /source
RUN set -e; \
    if [ ! -x /archive/bin/attune ]; then \
        apt-get update -qq; \
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            libhdf5-dev libpng-dev libjpeg-dev libwebp-dev zlib1g-dev libopenblas-dev libzstd-dev libsqlite3-dev libssl-dev \
            libcurl4-openssl-dev pkg-config binutils; \
        mkdir -p /archive/bin; \
        for product in attune attune-gallery; do \
            swift build -c release --product "$product" --static-swift-stdlib --scratch-path /build; \
            install -m 755 "/build/release/$product" /archive/bin/; \
        done; \
        strip --strip-unneeded /archive/bin/*; \
    fi

FROM ${BASE}
ARG PACKAGES=
RUN set -e; \
    apt-get update -qq; \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        libhdf5-103-1 libpng16-16 libjpeg62-turbo libwebp7 zlib1g libopenblas0-pthread libzstd1 libsqlite3-0 libssl3 libcurl4 \
        libstdc++6 ca-certificates ${PACKAGES}; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*; \
    mkdir -p /corpus; \
    chown 10001:10001 /corpus
COPY --from=build /archive/ /usr/local/
RUN ldconfig
# What is derived and may be lost goes to a folder that a read-only root has as tmpfs, or to nowhere.
ENV ATTUNE_CORPUS=/corpus XDG_CACHE_HOME=/tmp/cache
# A volume that is made for it belongs to this user; of a folder that is mounted, the owner must be.
USER 10001:10001
VOLUME /corpus
# The command is process 1 and handles signals itself: SIGTERM leads to a safe point and status 75.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/attune"]
CMD ["--help"]
