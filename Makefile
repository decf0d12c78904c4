# One virtual environment; every target makes what it needs. Python 3.11 or newer is all it takes.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help demo run test check bench lock
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/run.done  ## the main job on bundled posts, no credentials needed
	@$(BIN)/python -m bot demo

run: .venv/run.done  ## the daemon; settings come from .env
	@$(BIN)/python -m bot run

test: .venv/dev.done  ## every test, and how much of storage/ and watchers/ they reach
	@$(BIN)/python -m pytest -q -n 4 -p tests.covering

check: .venv/dev.done  ## formatting, lint, types, the direction of imports
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-logo

bench: .venv/dev.done  ## speed and accuracy, each beside a baseline
	@$(BIN)/python -m tests.bench

lock: .venv/dev.done  ## renew both lock files from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --extra ukrainian --group dev pyproject.toml -o requirements-dev.lock

.venv/run.done: requirements.lock
	@echo "setting up .venv (once) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) -r requirements.lock
	@touch $@

.venv/dev.done: .venv/run.done requirements-dev.lock
	@$(INSTALL) -r requirements-dev.lock
	@touch $@
