# Everything that `make` does happens in .venv: Python 3.11+, make and PyPI are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST ?= $(BIN)/python -m pytest
# One more than there are processors: some tests are calls in real time, which mostly wait.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')

.DEFAULT_GOAL := help
.PHONY: help demo test lint warm cover bench clean

help:
	@echo "make demo   ext 07 dials 05: exchange, two modems and a terminal on this machine"
	@echo "make test   static checks and the test suite"
	@echo "make bench  error rates, CPU, connect times, pacing (slow)"
	@echo "make cover  the test suite with branch coverage"

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ansam needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(VENV)/.installed
	@$(BIN)/ansam demo

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each of pytest's workers would compile every kernel for itself: V.34's are the half of them.
warm: $(VENV)/.installed
	$(BIN)/python -c 'import ansam.modulation.v34.modem' & $(BIN)/ansam warm && wait

test: $(VENV)/.installed
	@$(MAKE) --no-print-directory -j2 lint warm
	$(PYTEST) -n $(WORKERS) --dist loadgroup

cover: $(VENV)/.installed
	$(PYTEST) --cov --cov-report=term-missing:skip-covered

bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,bench]'
	$(PYTEST) -m bench -s tests

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .coverage*
