# make run    the console on the sandbox: no account anywhere
# make test   every test
# make quick  the pure tests alone, in seconds
# make check  format, lint, types and known advisories, then every test with many more random examples
# make lock   the requirements files anew from pyproject.toml, with hashes (UPGRADE=--upgrade for newer versions)
# make bench  the figures that the README and the notes speak of
# make env    only the environment (make dev: with what tests need)
# make truth  never a false word: ROUNDS=50000 invoices judged after what may happen, from SEED=1
# make restored  a ledger put back or lost in ROUNDS=300 ways: nothing twice
# make fresh  forget the demo

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Every test has a ledger of its own: in memory, where there is enough of it, they wait for no disk. What they leave is
# removed also when a run is cut off: the memory would stay full.
MEMORY := $(shell awk '/^MemAvailable/ {print $$2}' /proc/meminfo 2>/dev/null; df -k --output=avail /dev/shm 2>/dev/null | tail -1)
PLACE := $(shell echo "$(MEMORY)" | awk '$$1 > 6000000 && $$2 > 6000000 {print "/dev/shm"}')
SCRATCH = scratch=$$(mktemp -d "$(or $(PLACE),$${TMPDIR:-/tmp})/syncer-tests.XXXXXX"); \
	trap 'rm -rf "$$scratch"' EXIT; trap 'exit 130' INT TERM HUP; PYTEST_DEBUG_TEMPROOT=$$scratch
# Three at a time also on two cores: some wait for a browser, a process or a clock.
TEST = $(SCRATCH) $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
COVERED := --cov=syncer.domain --cov=syncer.connectors.xero.wire --cov=syncer.connectors.xero.entities --cov=syncer.connectors.xero.fields \
	--cov=syncer.connectors.xero.error_messages \
	--cov=syncer.connectors.crococlick.wire --cov=syncer.connectors.crococlick.fields --cov=syncer.connectors.crococlick.records \
	--cov=syncer.connectors.crococlick.contacts_wire --cov=syncer.connectors.crococlick.webhooks --cov-branch \
	--cov-report=term:skip-covered --cov-fail-under=100

.PHONY: run env dev test quick check lint audit lock bench truth restored fresh

run: $(VENV)/run.done
	@$(BIN)/python -m sandbox.demo

env: $(VENV)/run.done

dev: $(VENV)/dev.done

# What is pure is covered whole by tests of its own; the others run without the coverage that slows them.
test: $(VENV)/dev.done
	$(TEST) tests/domain tests/connectors $(COVERED) $(ARGS)
	$(TEST) tests --ignore=tests/domain --ignore=tests/connectors $(ARGS)

quick: $(VENV)/dev.done
	$(TEST) tests/domain tests/connectors -m "not slow" $(ARGS)

check: lint audit
	HYPOTHESIS_PROFILE=thorough $(MAKE) test

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Known advisories for the exact versions that are installed, where a database of them can be reached.
audit: $(VENV)/dev.done
	@$(BIN)/python .ci/audit.py requirements.txt

# The same versions on every platform and from Python 3.11 on; only what pyproject.toml names changes by hand.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --quiet --no-emit-index-url \
	--custom-compile-command "make lock" $(UPGRADE)
lock: $(VENV)/dev.done
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --group dev --constraint requirements.txt --output-file requirements-dev.txt

truth: $(VENV)/dev.done
	$(SCRATCH) ROUNDS=$(or $(ROUNDS),50000) SEED=$(or $(SEED),1) $(BIN)/python -m pytest -s tests/sync/test_truth.py

restored: $(VENV)/dev.done
	$(SCRATCH) ROUNDS=$(or $(ROUNDS),300) SEED=$(or $(SEED),1) $(BIN)/python -m pytest -s tests/sync/test_restored_pasts.py

bench: $(VENV)/dev.done
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

fresh:
	rm -rf data/demo

# The environment is made again when the requirements change.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say PYTHON=python3.x")'
	@echo "Making the environment $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

# uv installs in seconds what takes pip a minute; both check every hash.
INSTALL = $(if $(shell command -v uv),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

$(VENV)/run.done: requirements.txt | $(VENV)/bin/python
	@echo "Installing the packages of requirements.txt into $(VENV) (once; a minute or two with pip, seconds with uv) …"
	@$(INSTALL) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev.done: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing the packages of requirements-dev.txt into $(VENV) (once; a minute or two with pip, seconds with uv) …"
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/run.done
