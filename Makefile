# `make demo` and `make test` start from nothing: they need python3, make and a PyPI mirror.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo test check fast fix bench clean

help:
	@echo "make demo    the main job, end to end, on embedded phantom X-rays"
	@echo "make test    the tests"
	@echo "make check   what CI runs: lint, types, and the same tests"
	@echo "make fast    the quick tests, in a minute and a half"
	@echo "make fix     format, and mend what the linter can mend"
	@echo "make bench   throughput against the plain way of doing it; the other scripts in tests/benchmarks/ need X-rays"
	@echo "make clean   remove .venv, caches and the demo's folder (never data/ or runs/)"

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("xrgan needs Python 3.11 or newer: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/python examples/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

fast: $(INSTALLED)
	$(BIN)/python -m pytest -m "not slow and not real"

fix: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED)
	$(BIN)/python tests/benchmarks/prepare_memory.py
	$(BIN)/python tests/benchmarks/train_throughput.py
	$(BIN)/python tests/benchmarks/sample_throughput.py
	$(BIN)/python tests/benchmarks/evaluate_throughput.py

clean:
	rm -rf $(VENV) demo build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find xrgan tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
