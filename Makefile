# Needs only make and a Python of 3.11 or newer with its venv module; everything else is put into
# .venv here. `make demo` installs what ucj needs to run, `make test` the development tools too,
# both at the versions of constraints.txt. Another Python: `make test PYTHON=python3.13`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $(name))) python3)
endif
UV ?= uv

# Compiled once and kept, as an installation is: else each of a thousand processes compiles all of ucj.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
# pip hands PIP_CONSTRAINT (newer ones: PIP_BUILD_CONSTRAINT) on to the build of ucj itself, so
# that hatchling is pinned as well; `-c` would not.
INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --no-input --editable

# An installation is redone when its lists change, and when uv or a person took a tool out of it.
missing = $(if $(filter-out $(wildcard $(1:%=$(BIN)/%)),$(1:%=$(BIN)/%)),FORCE)
RUN_TOOLS := ucj
DEV_TOOLS := ucj ruff mypy lint-imports pytest

.PHONY: help demo test check bench peers soak docs lock clean FORCE
FORCE:

help:
	@echo 'make demo    import the example and show what it says'
	@echo 'make test    everything a change must pass: check, then all tests but soak'
	@echo 'make check   fast: format, lint, types, import contracts'
	@echo 'make bench   measure, with a million batches; also SCALE=100k (quicker), 4m, 10m'
	@echo 'make peers   install the peers that are Python packages, and measure beside them'
	@echo 'make soak    the long tests, with many more examples'
	@echo 'make docs    write the generated documents again'
	@echo 'make lock    choose versions again: uv.lock and constraints.txt (needs uv)'
	@echo 'make clean   remove .venv, caches and build results'

demo: $(VENV)/.ready-to-run
	@$(BIN)/ucj demo

check: $(VENV)/.ready-to-develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest -n auto -m 'not soak'

# make bench: a million batches. SCALE=100k for a quick look; SCALE=10m for the growth part alone;
# SCALE=4m, ten million entries, for what is asked in process alone.
SCALE ?= 1m
BATCHES_100k := 100000
BATCHES_1m := 1000000
BATCHES_4m := 4000000
BATCHES_10m := 10000000
GROWTH_4m := -k in_process
GROWTH_10m := -k '(rebuild or bare_scan or in_process) and not next_image'
# What misses a bar that fails it does not keep the peers from being measured.
bench: $(VENV)/.ready-to-develop
	$(if $(BATCHES_$(SCALE)),,$(error SCALE is 100k, 1m, 4m or 10m))
	@failed=; \
	UCJ_BENCH_BATCHES=$(BATCHES_$(SCALE)) $(BIN)/python -m pytest benchmarks --benchmark-enable \
		--benchmark-only --timeout=14400 $(GROWTH_$(SCALE)) || failed=1; \
	$(if $(GROWTH_$(SCALE)),:,$(BIN)/python -m benchmarks.peers --batches $(PEER_BATCHES)) || failed=1; \
	test -z "$$failed"

# Beside the peers a hundred thousand: most of them take minutes for more.
PEER_BATCHES ?= 100000
peers: $(VENV)/.ready-to-compare
	$(BIN)/python -m benchmarks.peers --batches $(PEER_BATCHES)

soak: $(VENV)/.ready-to-develop
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest tests -n auto --timeout=28800

docs: $(VENV)/.ready-to-develop
	$(BIN)/python docs/generate.py

# No index, find-links or configuration of this machine may get into the lock.
lock:
	@command -v $(UV) >/dev/null || { echo 'make lock needs uv: https://docs.astral.sh/uv/' >&2; exit 1; }
	env -u PIP_FIND_LINKS -u UV_FIND_LINKS -u UV_EXTRA_INDEX_URL -u UV_INDEX \
		$(UV) --no-config lock --default-index https://pypi.org/simple
	$(UV) --no-config export --quiet --frozen --no-hashes --no-emit-project --all-extras \
		--no-annotate --no-header --output-file constraints.txt

$(VENV)/.ready-to-run: pyproject.toml constraints.txt $(call missing,$(RUN_TOOLS))
	$(make-venv)
	$(INSTALL) .
	@touch $@

$(VENV)/.ready-to-develop: pyproject.toml constraints.txt $(call missing,$(DEV_TOOLS))
	$(make-venv)
	$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/.ready-to-run

$(VENV)/.ready-to-compare: $(VENV)/.ready-to-develop
	$(INSTALL) '.[dev,peers]'
	@touch $@

# A .venv that uv made has no pip, and one of a Python since removed does not start: made anew.
define make-venv
@$(PYTHON) -c '$(NEW_ENOUGH)' || { \
	echo "ucj needs Python 3.11 or newer; $(PYTHON) is not. Name one: make PYTHON=/path/to/python3.11" >&2; \
	exit 1; }
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
endef

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		.benchmarks .coverage
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
