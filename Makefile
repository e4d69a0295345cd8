# Every target first sets up what it needs: a fresh machine needs only make and Python 3.11 or newer.
#
#   make demo PYTHON=/path/to/python    with this interpreter
#   make test ARGS="-k layers -x"       with these words for pytest

PYTHON ?= python3.11 python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/core.installed
DEV := $(VENV)/dev.installed
UNFINISHED := $(VENV)/unfinished

# nothing of the caller's own Python comes in
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check format vega clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(CORE) ## train and measure a network on the bundled table
	$(BIN)/aurify fit aurify/examples/telco_churn.csv --target Churn

test: $(DEV) ## run every test
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(DEV) ## lint, format, types and layers, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo

format: $(DEV) ## mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

vega: $(DEV) ## take the scripts that draw charts anew from vl-convert
	$(BIN)/python -m aurify.report.vega

clean: ## remove the environment, caches and build products; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .ci/*.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CORE): pyproject.toml constraints.txt
	$(call install,.)
	@touch $(CORE)

$(DEV): pyproject.toml constraints.txt
	$(call install,.[dev])
	@touch $(CORE) $(DEV)

# $(call install,WHAT): the stamps go first and come back last. An install that was cut short may have left half a
# package that pip believes in, so it is begun anew.
define install
@rm -f $(CORE) $(DEV)
@if [ -e $(UNFINISHED) ] || ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	for candidate in $(PYTHON); do \
		if $$candidate -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "making $(VENV) with $$candidate"; \
			exec $$candidate -m venv --clear $(VENV); \
		fi; \
	done; \
	echo "make: none of these is Python 3.11 or newer with its venv module: $(PYTHON); install one (Debian: apt install python3-venv) or name it: make PYTHON=/path/to/python" >&2; \
	exit 1; \
fi
@touch $(UNFINISHED)
@echo "installing $(1) into $(VENV) (the first time takes a few minutes)"
@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input -c constraints.txt -e '$(1)'
@rm -f $(UNFINISHED)
endef
