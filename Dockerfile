# syntax=docker/dockerfile:1
# Commands in exec form cannot be joined.
# hadolint global ignore=DL3059

# Only wheels are installed; no stage has a compiler. deploy/check_wheels.py checks that every locked
# package has wheels for Alpine on x86_64 and aarch64.
ARG PYTHON=3.13.16-alpine3.24
ARG POSTGRES=17-bookworm

FROM python:${PYTHON} AS packages
# set to requirements-otel.lock for an image with tracing
ARG REQUIREMENTS=requirements.lock
RUN ["python", "-m", "venv", "/opt/uv"]
RUN ["/opt/uv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--only-binary=:all:", "uv==0.13.9"]
RUN ["python", "-m", "venv", "--without-pip", "/opt/wxc"]
WORKDIR /build
COPY ${REQUIREMENTS} requirements.lock
RUN ["/opt/uv/bin/uv", "pip", "install", "--python=/opt/wxc/bin/python", "--no-cache", "--require-hashes", "--only-binary=:all:", "--compile-bytecode", "--requirements=requirements.lock"]
COPY pyproject.toml README.md ./
COPY src/wxc src/wxc
RUN ["/opt/uv/bin/uv", "pip", "install", "--python=/opt/wxc/bin/python", "--no-cache", "--no-deps", "--compile-bytecode", "."]

FROM python:${PYTHON} AS wxc
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="WXC Social" \
      org.opencontainers.image.description="A social network whose members can run a currency exchange" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=packages /opt/wxc /opt/wxc
WORKDIR /srv
COPY alembic.ini ./
COPY alembic alembic
# The certificate authorities of RDS, from AWS itself; DATABASE_URL names the file as sslrootcert.
ADD --chmod=444 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem rds-ca-bundle.pem
ENV PATH=/opt/wxc/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    PORT=8000 \
    METRICS_PORT=9100 \
    METRICS_HOST=0.0.0.0 \
    REVISION=${REVISION}
# The only writable path; as a volume it keeps the image's permissions on ECS.
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8000 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/livez"]
ENTRYPOINT ["wxc"]
CMD ["serve"]

# The official PostgreSQL image, with PostGIS from the package source that the image configures.
FROM postgres:${POSTGRES} AS db
# Not pinned, because the package source does not keep older versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends "postgresql-$PG_MAJOR-postgis-3" \
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=5 \
    CMD ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres"]

# The default target.
FROM wxc
