# make demo   install, train BC and MAIL on Tic-Tac-Toe, print the exact Nash gaps, draw the figure
# make test   install, lint, check types, run the tests
# make test-fast
#             the tests that are not marked slow, in a minute or two; no lint
# make test-pages
#             what the pages say: their commands and snippets, the examples, the site, the figures made small
# make test-faults
#             the tests in which processes are killed, machines removed and files damaged by the dozen
# make coverage
#             all tests once more, and which lines and branches they ran, build/coverage/html/index.html
# make lint   ruff and mypy alone
# make test-kernels
#             the tests of equal results once for each of other processors' kernels, which this one can imitate
# make docs   build the documentation site, build/docs/index.html; warnings are errors
# make solver add the Connect Four solver (AGPL-3), by choice
#
# TORCH_ARGS  what pip is given for torch, e.g. TORCH_ARGS="torch --index-url <a CUDA index>"; a torch that is
#             already in the environment is kept
# PYTHON      the interpreter that makes the environment (3.11 or newer)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SEED ?= 0
TORCH_ARGS ?= torch -c constraints.txt

# What chooses kernels of torch, of MKL and of oneDNN; the last one shakes the last bits of all networks.
KERNELS := ATEN_CPU_CAPABILITY=default ATEN_CPU_CAPABILITY=avx2 MKL_CBWR=COMPATIBLE ONEDNN_MAX_CPU_ISA=AVX2 \
	PYTHONPATH=$(CURDIR)/tests/shaken

.PHONY: demo test test-fast test-pages test-faults coverage test-kernels lint docs solver install install-test clean

install: $(VENV)/.installed
install-test: $(VENV)/.installed-test

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nashmail needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) install --quiet $(TORCH_ARGS)
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[docs]'
	@touch $@

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs
	@echo "build/docs/index.html"

solver: install
	$(PIP) install --quiet -c constraints.txt -e '.[solver]'

demo: install
	$(BIN)/nashmail train tictactoe --learner mail,bc --explorer deep --seed $(SEED) --out runs/demo --force
	@echo
	@echo "Play against it:  $(BIN)/nashmail play tictactoe --against runs/demo --seat 0"
	@echo "Or against BC:    $(BIN)/nashmail play tictactoe --against runs/demo:bc --seat 0"

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Three processes on two cores, because tests of workers and terminals spend much of their time waiting.
test: lint
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not faults and not pages"

test-fast: install-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-pages: install-test
	$(BIN)/python -m pytest -n 3 --dist loadfile -m pages

test-faults: install-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m faults

coverage: install-test
	$(BIN)/python -m pytest -n 3 --dist loadfile --cov --cov-report=term --cov-report=html
	@echo "build/coverage/html/index.html"

test-kernels: install-test
	@set -e; for kernel in $(KERNELS); do \
		echo "equal results, $$kernel"; \
		env -u MKL_CBWR $$kernel $(BIN)/python -m pytest -n 2 --dist loadfile -m equal_results tests/agents tests/mail; \
	done

clean:
	rm -rf $(VENV) runs build *.egg-info .mypy_cache .ruff_cache .hypothesis
