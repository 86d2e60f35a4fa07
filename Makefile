# Two commands do all the set-up on a machine that has Python >= 3.11, make and the package index:
#   make demo   a month of bills from example data, on SQLite
#   make test   style, types and all tests, on SQLite and a real PostgreSQL server
# PYTHON chooses the interpreter of a new environment (make PYTHON=python3.13 test), PYTEST_ARGS adds to pytest's arguments.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST_ARGS ?=

PLUGIN_PROJECTS := $(filter-out plugins/_template/%,$(wildcard plugins/*/pyproject.toml))
PLUGINS := $(PLUGIN_PROJECTS:%/pyproject.toml=%)
# Examples that are plugins are installed like any other: their pages and tests run them through their entry points.
EXAMPLE_PROJECTS := $(wildcard examples/*/pyproject.toml)
EDITABLE_PLUGINS := $(PLUGINS:%=--editable ./%) $(EXAMPLE_PROJECTS:%/pyproject.toml=--editable ./%)
CODE := $(wildcard src tests benchmarks examples plugins/conftest.py) $(wildcard $(PLUGINS:%=%/src) $(PLUGINS:%=%/tests))
TYPED := $(wildcard src tests benchmarks plugins/conftest.py) $(wildcard $(PLUGINS:%=%/src) $(PLUGINS:%=%/tests))

comma := ,
# Where a PostgreSQL server may already be: on PATH, or in the usual places of the distributions.
POSTGRES_BINARY := $(firstword $(shell command -v initdb 2>/dev/null) $(wildcard /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /usr/local/pgsql/bin/initdb))
TEST_EXTRAS := test$(if $(POSTGRES_BINARY),,$(comma)test-server)

# The tests start hundreds of processes: where none may keep what it has compiled, each compiles all sources again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test torture lint format types bench clean

demo: $(VENV)/.demo-installed
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: lint types
	$(BIN)/python -m compileall -q src $(PLUGINS:%=%/src)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

# The crash trials in their long form, then all tests of properties with more examples.
# TORTURE_ARGS, for the trials alone: --trials 50, --database sqlite, --seed 7, --only 12 (repeats one trial of a seed)
torture: $(VENV)/.test-installed
	$(BIN)/python -m tests.crash.torture $(TORTURE_ARGS)
	$(if $(TORTURE_ARGS),,BILLING_LONG_PROPERTIES=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m hypothesis)

lint: $(VENV)/.test-installed
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: $(VENV)/.test-installed
	$(BIN)/mypy $(TYPED)

format: $(VENV)/.test-installed
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/.test-installed
	$(BIN)/python -m benchmarks.report --measure

clean:
	rm -rf $(VENV) build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "the venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

# The stamps name what was installed: a changed requirement or a new plugin installs again, anything else does not.
$(VENV)/.demo-installed: pyproject.toml $(PLUGIN_PROJECTS) $(EXAMPLE_PROJECTS) | $(BIN)/python
	$(PIP_INSTALL) --editable . $(EDITABLE_PLUGINS)
	@touch $@

$(VENV)/.test-installed: pyproject.toml $(PLUGIN_PROJECTS) $(EXAMPLE_PROJECTS) | $(BIN)/python
	$(PIP_INSTALL) --editable '.[$(TEST_EXTRAS)]' $(EDITABLE_PLUGINS)
	@touch $@ $(VENV)/.demo-installed
