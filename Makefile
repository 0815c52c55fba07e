PYTHON ?= .venv/bin/python

.PHONY: check test bench app

check:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(dir $(PYTHON))lint-imports

test:
	$(PYTHON) -m pytest

bench:
	$(PYTHON) -m harness.cli bench

app:
	$(dir $(PYTHON))harness leaderboard
