# The server: a virtual environment from the hashed lock, made in one stage and copied into the next; no root, no pip.
ARG PYTHON_VERSION=3.13-slim

FROM python:${PYTHON_VERSION} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /opt/libraries-io-mcp \
 && /opt/libraries-io-mcp/bin/pip install --quiet --require-hashes --no-deps --requirement requirements/runtime.txt
# The build back end comes from the same lock, into an environment that is thrown away.
RUN awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } wanted' requirements/dev.txt >backend.txt \
 && python -m venv backend \
 && backend/bin/pip install --quiet --require-hashes --no-deps --requirement backend.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src/ src/
COPY otel/rules/ otel/rules/
RUN backend/bin/python -m hatchling build --target wheel \
 && /opt/libraries-io-mcp/bin/pip install --quiet --no-deps --no-index dist/*.whl \
 && /opt/libraries-io-mcp/bin/pip uninstall --quiet --yes pip

FROM python:${PYTHON_VERSION}
# The base image brings its own.
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip \
 && rm -rf /usr/local/lib/python3*/ensurepip ~/.cache
COPY --from=build /opt/libraries-io-mcp /opt/libraries-io-mcp
ENV PATH=/opt/libraries-io-mcp/bin:$PATH PYTHONUNBUFFERED=1
USER 10002:10002
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=6 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
ENTRYPOINT ["libraries-io-mcp"]
CMD ["serve", "--transport", "http", "--host", "0.0.0.0"]
