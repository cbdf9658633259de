# Everything a person or CI runs. `make` alone prints this list.
# Needs Python 3.11+ and make; uv is used where it is found and otherwise installed into .tools.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FAST_TESTS := tests/contract tests/scenarios tests/unit
COMPOSE := docker compose -f docker-compose.observability.yml

.PHONY: help audit sbom servers e2e e2e-outages up down counts setup demo demo-picture test bench coverage inspect mutants stress check format docs lock clean

help: ## Print this list
	@echo "usage: make TARGET"; echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make the environment in .venv (every other target does this itself)

$(READY): requirements/dev.txt pyproject.toml scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup "$(VENV)"
	@touch $@

demo: $(READY) ## See the main job end to end: no key, no Docker; the network only for the first set-up
	@$(BIN)/libraries-io-mcp demo

demo-picture: $(READY) ## Renew docs/demo.svg, the demo's own output as a picture
	@$(BIN)/libraries-io-mcp demo --svg docs/demo.svg

test: $(READY) ## Run the fast tests
	@# The files that take long first, so that nobody waits for one of them at the end. Compiled tests are kept, whatever
	@# the environment says: each worker would compile them all anew, which takes as long as a twentieth of the tests.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest $(FAST_TESTS) --numprocesses 2 --dist loadfile --no-loadscope-reorder

coverage: $(READY) ## Run the fast tests and say which lines of this process they miss
	@$(BIN)/pytest $(FAST_TESTS) --numprocesses 2 --dist loadfile --cov --cov-report=term

stress: $(READY) ## Run the fast tests three times in random order, with all processors busy besides
	@$(BIN)/python scripts/stress.py $(FAST_TESTS)

mutants: $(READY) ## Put 200 small faults into the code, one at a time, and see whether tests notice (half an hour)
	@$(BIN)/python scripts/mutants.py run

inspect: $(READY) ## Let the official MCP Inspector look at both transports (needs npx and the npm registry; part of e2e)
	@$(BIN)/python scripts/inspect

check: $(READY) ## Format, lint, types, import rules: exactly what CI runs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_modules.py
	@$(BIN)/python scripts/write_docs.py --check
	@$(BIN)/python -m grafana.build --check
	@$(BIN)/libraries-io-mcp alerts check otel/rules > /dev/null

bench: $(READY) ## Measure what docs/performance.md claims: ratios of interleaved variants (twenty minutes)
	@scripts/proxy
	@$(BIN)/python -m benchmarks.bench

counts: $(READY) ## Renew benchmarks/counts.json: functions called by a call, a record, a scrape (Python 3.11)
	@$(BIN)/python -m benchmarks.counts --write

format: $(READY) ## Format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY) ## Write the generated parts of docs, .env.example and the dashboards
	@$(BIN)/python scripts/write_docs.py
	@$(BIN)/python -m grafana.build

lock: ## Resolve the dependencies anew into requirements/*.txt
	@PYTHON="$(PYTHON)" scripts/setup --lock

e2e: $(READY) ## Run the product against the real servers, a real browser and a real proxy (obtains what is missing)
	@scripts/servers
	@scripts/browser
	@scripts/proxy
	@if command -v npx > /dev/null; then $(BIN)/python scripts/inspect; else echo "SKIPPED: the MCP Inspector, for want of npx"; fi
	@$(BIN)/pytest tests/servers tests/e2e -m "not outage"

e2e-outages: $(READY) ## Kill every back end for two minutes under load, then count (a quarter of an hour)
	@scripts/servers
	@$(BIN)/pytest tests/e2e -m outage -rP

audit: ## Look for known vulnerabilities in the locked packages (asks PyPI)
	@scripts/audit

sbom: ## Write build/sbom.cdx.json, a software bill of materials
	@scripts/audit --sbom

servers: ## Obtain the real servers of the stack (a quarter of an hour once, then nothing)
	@scripts/servers

up: ## Start the whole stack in containers (needs Docker with Compose)
	@$(COMPOSE) up --detach --wait
	@echo "MCP server    http://127.0.0.1:8000/mcp"
	@echo "Grafana       http://127.0.0.1:3000   user admin, password: $(COMPOSE) exec grafana cat /run/grafana-secrets/admin_password"
	@echo "Jaeger        http://127.0.0.1:16686"
	@echo "Prometheus    http://127.0.0.1:9090"
	@echo "Alertmanager  http://127.0.0.1:9093"
	@echo "InfluxDB      http://127.0.0.1:8086   user admin, password: $(COMPOSE) exec influxdb cat /run/influxdb-secrets/admin_password"
	@echo "OTLP          http://127.0.0.1:4318 (HTTP), 127.0.0.1:4317 (gRPC)"

down: ## Stop the stack; its data stays (make down ARGS=--volumes removes it)
	@$(COMPOSE) --profile traffic --profile replicas down $(ARGS)

clean: ## Remove the environment and all caches
	@rm -rf $(VENV) .venvs .tools .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
