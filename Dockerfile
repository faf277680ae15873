# Firstword: one image, three commands (migrate, web, worker); see compose.yaml.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/base.txt
RUN /opt/venv/bin/python -m pip install --only-binary :all: --require-hashes -r /tmp/base.txt
WORKDIR /firstword
COPY config config
COPY moderation moderation
COPY service service
COPY wsgi.py .
RUN /opt/venv/bin/python -m compileall -q config moderation service wsgi.py

FROM python:3.13-slim
RUN groupadd --gid 10001 firstword \
 && useradd --uid 10001 --gid firstword --no-create-home --shell /usr/sbin/nologin firstword \
 && install -d -o firstword -g firstword -m 700 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /firstword /firstword
WORKDIR /firstword
# Nothing is written but /data: run it with a read-only root (and a small tmpfs on /tmp).
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
USER firstword
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=4)"]
CMD ["python", "-m", "service.cli", "web"]
