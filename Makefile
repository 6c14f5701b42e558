# make run    opens the dashboard          make lint    style and types
# make test   runs the test suite          make bench   measures what the README claims
# make test-thorough   also what takes minutes: long loops, quick benchmarks, 20,000 spoilt inputs
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-thorough lint format bench clean
.DELETE_ON_ERROR:

run: .venv/run.stamp
	$(BIN)/python -m fkd dashboard

test: .venv/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	  -m "not thorough" --ignore tests/browser
	$(BIN)/python -m pytest tests/browser  # alone: what a person waits for is timed

test-thorough: test
	$(BIN)/python -m pytest -m thorough --ignore tests/browser
	$(BIN)/python -m benchmarks.fuzz

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks.foundation
	$(BIN)/python -m benchmarks.training pace latency responsive
	$(BIN)/python -m benchmarks.load

clean:
	rm -rf .venv build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

# A stamp is newer than the pins it was installed from, so a second run starts at once.
.venv/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing what is pinned (once, some minutes) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what is pinned (once, some minutes) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp
