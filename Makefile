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
	$(PYTHON) benchmarks/cpu.py

app:
	$(dir $(PYTHON))harness leaderboard
