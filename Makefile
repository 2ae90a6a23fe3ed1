# make search: the main job on embedded real data.   make test: every check.   make help: the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# The environment is made anew unless it was made from exactly these files by this Python.
LOCK := $(shell { cat constraints.txt pyproject.toml; $(PYTHON) --version; } 2>&1 | cksum | tr -d ' ')

# Tools that no check needs.
TOOLS := $(VENV)/tools/$(notdir $(BIN))

BY_SCHEMA := $(BIN)/check-jsonschema --builtin-schema vendor

SHELL := bash
# Two threads are no faster on the digits, and slower where the other core is busy (docs/results.md).
export OMP_NUM_THREADS ?= 1

.PHONY: help environment search test chaos format format-check lint types imports schemas docs tests \
	dist tools sbom audit clean

help:
	@echo "make search    search, train and export on the digits (about five minutes)"
	@echo "make test      every check: format, lint, types, import contracts, schemas, docs, tests"
	@echo "make chaos     faults injected into searches with many workers (about fifteen minutes)"
	@echo "make format    bring the code into shape"
	@echo "make lint | types | imports | schemas | docs | tests    one check"
	@echo "make dist      the files of a release"
	@echo "make sbom      what the environment is made of, by licence and source, as sbom.cdx.json (CycloneDX)"
	@echo "make audit     known vulnerabilities of the pinned versions (asks pypi.org)"
	@echo "make clean     remove the environment and what the checks leave"

INSTALL := -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt

# What is imported is compiled once, and not by each of the hundreds of processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

environment:
	@if [ "$$(cat $(VENV)/.lock 2>/dev/null)" != "$(LOCK)" ]; then \
		rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) && \
		$(BIN)/python $(INSTALL) torch==2.13.0 && $(BIN)/python $(INSTALL) -e '.[dev]' && \
		echo "$(LOCK)" > $(VENV)/.lock; \
	fi

search: environment
	$(BIN)/naokit search --space conv-small --data digits --preset quick

# Every check runs, whatever the others say, two at a time. The tests take longest and begin last, so
# that pytest's closing line comes last.
CHECKS := types docs format-check lint imports schemas tests
test: environment
	@$(MAKE) --no-print-directory --keep-going --jobs 2 $(CHECKS)

# As many faults as a search may meet; a short form is among the tests.
chaos: environment
	$(BIN)/python -m benchmarks.chaos

format: environment
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

format-check: environment
	@$(BIN)/ruff format --check .

lint: environment
	@$(BIN)/ruff check .

types: environment
	@$(BIN)/mypy

imports: environment
	@$(BIN)/lint-imports

# What runs elsewhere, by schemas that lie in the environment.
schemas: environment
	@$(BY_SCHEMA).github-workflows .github/workflows/*.yml
	@$(BY_SCHEMA).github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(BY_SCHEMA).github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@$(BIN)/pre-commit validate-config .pre-commit-config.yaml

# Not with --quiet: it switches off the warnings that --strict counts, and nothing would fail.
docs: environment
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

tests: environment
	@$(BIN)/python -m pytest -n 2

dist: environment
	rm -rf dist && $(BIN)/python -m build --no-isolation

tools: environment
	@$(PYTHON) -m venv $(VENV)/tools
	@$(TOOLS)/python $(INSTALL) cyclonedx-bom pip-audit

sbom: tools
	$(TOOLS)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library \
		--output-reproducible --output-file sbom.cdx.json $(VENV)

# Strict: a version that nobody knows is an error, not a line that says it was left out.
audit: tools
	$(TOOLS)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

clean:
	rm -rf $(VENV) site dist sbom.cdx.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
