# One image for every service: `mesh run <service>`.
FROM rust:1.95.0-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY crates crates
COPY services services
COPY examples examples
COPY data data
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin mesh && cp target/release/mesh /usr/local/bin/mesh

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="mesh" \
      org.opencontainers.image.description="The streaming backbone of a data mesh" \
      org.opencontainers.image.licenses="Apache-2.0"
# librdkafka speaks TLS by the system's OpenSSL, which Debian mends, and trusts the authorities that the system trusts.
RUN apt-get update -q && apt-get install -y -q --no-install-recommends libssl3 ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin mesh
COPY --from=build /usr/local/bin/mesh /usr/local/bin/mesh
COPY deploy/docker/healthy /usr/local/bin/healthy
# The contracts, for `mesh apply` and `mesh check`; mount your own over them.
COPY topics /mesh/topics
COPY schemas /mesh/schemas
WORKDIR /mesh
USER mesh
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["healthy", "8080"]
ENTRYPOINT ["mesh"]
CMD ["--help"]
