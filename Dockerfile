# Written and linted; not built where it was written, see docs/keeping.md.
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
RUN python -m venv /opt/secondlook \
 && /opt/secondlook/bin/pip install --no-cache-dir '.[postgres,s3]'

FROM python:3.12-slim-bookworm
# Pango for reports, PostgreSQL's programs for backups.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends --yes libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/secondlook secondlook \
 && install --directory --owner=10001 --mode=700 /var/lib/secondlook/data
COPY --from=build /opt/secondlook /opt/secondlook
ENV PATH=/opt/secondlook/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    SECONDLOOK_MODE=production \
    SECONDLOOK_DATA_FOLDER=/var/lib/secondlook/data
USER 10001
WORKDIR /var/lib/secondlook
VOLUME /var/lib/secondlook/data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["secondlook", "web", "--host", "0.0.0.0", "--workers", "2"]
