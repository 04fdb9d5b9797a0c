# make quickstart   installs into .venv, runs the study digits-quick and builds its report
# make test         installs into .venv, runs all tests
# make lint types   ruff and mypy

PYTHON ?= python3
VENV ?= .venv
# The release that the tests run with; hyperbudget itself accepts torch >= 2.11. For another build of it
# (CUDA, CPU only), name it here: make TORCH="torch==2.13.0 --index-url ..." quickstart
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: quickstart test lint types install install-dev clean

quickstart: install
	$(BIN)/hyperbudget run digits-quick
	$(BIN)/hyperbudget report digits-quick

test: install-dev
	$(BIN)/python -m pytest

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev
	$(BIN)/mypy

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml Makefile
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(TORCH)
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
