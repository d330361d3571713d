# syntax=docker/dockerfile:1

FROM rust:1.92-bookworm AS build
WORKDIR /build
COPY . .
# The caches keep a rebuild short; they are not part of the image, so the binary is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin sluice \
    && cp target/release/sluice /usr/local/bin/sluice

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home sluice
COPY --from=build /usr/local/bin/sluice /usr/local/bin/sluice
WORKDIR /home/sluice
COPY docker/demo.sh /usr/local/bin/demo.sh
COPY sql/examples sql/examples
# Owned by the user: the second drop is copied beside the first one.
COPY --chown=sluice:sluice demo/data demo/data
USER sluice
ENTRYPOINT ["demo.sh"]
