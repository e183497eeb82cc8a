# Two commands do all the set-up: `make demo` (the main job) and `make test`.
unexport PYTHONDONTWRITEBYTECODE  # with it set, every start compiles every module again
export DVC_NO_ANALYTICS := 1
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-all studies faults fuzz docs lint audit ui encoder clean
.DEFAULT_GOAL := demo

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(READY)  ## fetch the data, run the six stages, print the result
	$(BIN)/uml run

test: $(READY) lint  ## everything that needs no daemon and no browser
	$(BIN)/python -m pytest -m "not slow"

test-all: test docs  ## and what takes minutes: a Ray cluster, a compiler, kills, a browser
	$(BIN)/python -m pytest -m slow

studies: $(READY)  ## what UML gives on real data, against its peers: writes studies/*/README.md (90 minutes; UML_DATA_DIR=…)
	$(BIN)/python -m studies --seeds $(or $(SEEDS),5)

faults: $(READY)  ## 500 random faults: kills, full disks, flipped bits (an hour or so)
	$(BIN)/python -m tests.faults

fuzz: $(READY)  ## 19,800 damaged inputs of every kind (some minutes)
	$(BIN)/python -m tests.fuzz

docs: $(READY)  ## the site with guides and reference, in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pip check --disable-pip-version-check

audit: $(READY)  ## known vulnerabilities of what requirements.lock names; says so where the service is out of reach
	$(BIN)/python -m tests.audit

ui: $(READY)  ## Dagster's webserver and daemon on http://127.0.0.1:3000, set up and remembered in .dagster/
	$(BIN)/uml ui

encoder: $(READY)  ## train the built-in image encoder again (some twelve minutes on 2 idle cores)
	$(BIN)/python -m uml_pipeline.demo.encoder

clean:  ## remove what the demo made; the fetched packages and the virtual environment stay
	rm -rf artifacts data/drawings data/*.csv
