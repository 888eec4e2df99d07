# syntax=docker/dockerfile:1
# Commands in exec form cannot be joined.
# hadolint global ignore=DL3059

# Only wheels are installed, and no stage has a compiler: deploy/check_wheels.py finds out whether
# each locked package has one for Alpine on x86_64 and on aarch64.
ARG PYTHON=3.13.16-alpine3.24
ARG POSTGRES=17-bookworm

FROM python:${PYTHON} AS packages
# requirements-otel.lock, for an image that can trace
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
ENV PATH=/opt/wxc/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    PORT=8000 \
    METRICS_PORT=9100 \
    METRICS_HOST=0.0.0.0
# The one place that is written to; ECS gives it the rights of the image's own.
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8000 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/livez"]
ENTRYPOINT ["wxc"]
CMD ["serve"]

# PostgreSQL's own image, which knows the package source of its builds, and PostGIS from there.
FROM postgres:${POSTGRES} AS db
# No version, because the source keeps no older ones.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends "postgresql-$PG_MAJOR-postgis-3" \
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=5 \
    CMD ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres"]

# What is built where no target is named.
FROM wxc
