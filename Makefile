# make demo · setup · check · test · test-slow · docs · schema · bench
PYTHON ?= python3
BIN := .venv/bin
export SPARRING_CACHE ?= $(CURDIR)/.cache/sparring

.PHONY: demo setup check test test-slow docs schema bench clean

demo: .venv/installed
	$(BIN)/sparring demo

setup: .venv/installed-dev

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: .venv/installed-test
	$(BIN)/pytest -n 2 --dist worksteal

test-slow: .venv/installed-test
	$(BIN)/pytest -n 2 --dist worksteal -m slow

docs: .venv/installed-docs
	$(BIN)/pytest tests/design/test_readme.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

schema: .venv/installed
	$(BIN)/python -c "from sparring.evaluation.result import json_schema; print(json_schema(), end='')" \
		> docs/en/reference/scores.schema.json

bench: .venv/installed
	$(BIN)/python benchmarks/dcgan_step.py
	$(BIN)/python benchmarks/r3gan_step.py
	$(BIN)/python benchmarks/reading.py

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

.venv/installed-docs: .venv/installed-test
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

.venv/installed-dev: .venv/installed-test
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv .cache site .mypy_cache .pytest_cache .ruff_cache
