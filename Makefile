# Two commands matter: `make lab` opens the course, `make test` checks all of it. Both set up what they need.
PYTHON ?= python3
PIP    ?= .venv/bin/python -m pip install --disable-pip-version-check -qq -c constraints.txt
ARGS   ?=
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup lab check test export docs bench clean

help:    ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/ready-dev    ## make .venv with all that the course and its tests need
	@echo "ready: .venv/bin/diffcourse --help"

lab: .venv/ready    ## open the course in JupyterLab (make lab ARGS="--no-browser --port 8899")
	.venv/bin/diffcourse lab $(ARGS)

check: .venv/ready-dev    ## the quick part, under three minutes: export in sync, ruff, rules, unit tests
	.venv/bin/python -m pytest -m 'not slow' $(ARGS)

test: .venv/ready-dev    ## run everything: export in sync, every notebook, pytest, real browsers
	.venv/bin/python -m pytest $(ARGS)

export: .venv/ready-dev    ## write diffcourse/*.py and README.md from the notebooks
	.venv/bin/nbdev-export
	.venv/bin/python docs/readme.py

docs: .venv/ready-dev    ## build the site into _site/ (no network is needed to read it)
	.venv/bin/python docs/build.py $(ARGS)

bench: .venv/ready-dev    ## measure speed and quality (benchmarks/README.md says what and how)
	@s=0; for f in benchmarks/bench_*.py; do echo "# $$f"; .venv/bin/python $$f $(ARGS) || s=1; done; .venv/bin/diffcourse bench scores || s=1; exit $$s

clean:    ## strip notebooks of outputs and remove what was built (.venv stays)
	@if [ -x .venv/bin/nbdev-clean ]; then .venv/bin/nbdev-clean; fi
	rm -rf _site _exec _proc _docs _src .cache build dist .pytest_cache .ruff_cache .hypothesis
	find diffcourse nbs tests docs benchmarks -name __pycache__ -prune -exec rm -rf {} + -o -name .ipynb_checkpoints -prune -exec rm -rf {} +

# torch is asked for first and by its version: where a CPU build of it is at hand, that one is taken.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "diffcourse needs Python 3.10 or later; say which one: make PYTHON=python3.11 lab"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "could not make .venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "setting up .venv (a minute or two, once)"
	@test -e .venv/ready-dev || { $(PIP) torch==2.13.0 && $(PIP) -e .; }
	@test ! -e .venv/ready-dev || $(PIP) -e '.[dev]'
	@touch $@

.venv/ready-dev: .venv/bin/python pyproject.toml constraints.txt
	@echo "setting up .venv with the tools of the tests and the site (a minute or two, once)"
	@$(PIP) torch==2.13.0 && $(PIP) -e '.[dev]'
	@touch .venv/ready $@
