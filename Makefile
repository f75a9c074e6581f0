# Council Hub: the commands of the house. Only Python 3.11+ and make are assumed; every target is safe to run again.

# The first of these that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo run test services-test chaos bench lint lock clean

help: ## show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make the environment in .venv, from the lock file

# The stamp is written last: a set-up that broke half-way is done again.
$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Council Hub needs Python 3.11 or newer; name it: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "This Python cannot make virtual environments; install its venv package (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(READY) ## the hub with pretend councils and real submissions; ONCE=1 checks that all arrived and ends
	$(BIN)/hub demo $(if $(ONCE),--once)

run: $(READY) ## the hub itself, all rooms in one process, on http://127.0.0.1:8000
	$(BIN)/hub run

test: $(READY) ## every test; those that need PostgreSQL or RabbitMQ skip where there is none
	$(BIN)/python -m pytest $(ARGS)

services-test: $(READY) ## the tests on PostgreSQL and RabbitMQ, which must be there
	HUB_TEST_SERVICES=required $(BIN)/python -m pytest -m "postgres or rabbitmq" $(ARGS)

chaos: $(READY) ## every fault rehearsed on PostgreSQL and RabbitMQ, and what the back offices hold; 20 minutes
	$(BIN)/hub gameday $(ARGS)

bench: $(READY) ## how fast: accepting, delivering, and what each costs
	$(BIN)/python -m tests.bench $(ARGS)

lint: $(READY) ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: ## choose new versions for the lock files (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		--extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

clean: ## remove the environment and every cache; var/ (data) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
