# make quickstart   installs into .venv, runs the study digits-quick and builds its report
# make test         installs into .venv, runs all tests, two files at a time
# make lint types   ruff and mypy
# make accessibility   checks the reports in reports/ with axe-core, light, dark and narrow; needs npm and Chromium

PYTHON ?= python3
VENV ?= .venv
# The release that the tests run with; hyperbudget itself accepts torch >= 2.11. For another build of it
# (CUDA, CPU only), name it here: make TORCH="torch==2.13.0 --index-url ..." quickstart
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: quickstart test lint types accessibility install install-dev clean

quickstart: install
	$(BIN)/hyperbudget run digits-quick
	$(BIN)/hyperbudget report digits-quick

test: install-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev
	$(BIN)/mypy

accessibility: install-dev $(VENV)/package/axe.min.js
	$(BIN)/python -m tests.report.browser $(VENV)/package/axe.min.js reports/*/report.html

$(VENV)/package/axe.min.js:
	cd $(VENV) && tar xzf $$(npm pack --silent axe-core@4.14.1) package/axe.min.js

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
