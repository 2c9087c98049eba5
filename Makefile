# Needs make and Python 3.11 or later; all else goes into .venv.

BIN := .venv/bin
INSTALLED := .venv/.installed
RUNS := .venv/.runs

# Bytecode is kept, whatever the environment says: tests start hundreds of processes, and each would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

WORKERS ?= 4
SPREAD := -n $(WORKERS) --dist loadgroup
LOCKED := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: demo test check lint format matrix bench load faults attack audit typescript docs lock release pictures gallery clean
.DEFAULT_GOAL := test

demo: $(or $(wildcard $(INSTALLED)),$(RUNS)) ## All of it on this machine, without Slack: a page where you decide
	@echo "Starting the demo: a Redis, the server, a stand-in for Slack and five agents. It takes some seconds."
	@$(BIN)/signoff demo

test: $(INSTALLED) ## All tests but the long ones (LONG=1: those too); skipped where a server is not installed
	$(if $(LONG),,@echo "The long ones (minutes of random faults, every crash point) are left to .ci/run, or LONG=1.")
	$(BIN)/python -m pytest $(SPREAD) $(if $(LONG),,-m "not long") $(PYTEST)

check: lint ## Lint, types, and the tests that only compute, and measure nothing: about a minute
	$(BIN)/python -m pytest -n auto --dist loadgroup -q -m "not served and not timed" $(PYTEST)

lint: $(INSTALLED) ## What CI asks of the code beside its tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

matrix: $(INSTALLED) ## The adapters with the oldest libraries that pyproject.toml says they take, and the recipes
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv/oldest
	$(BIN)/uv pip install --quiet --python .venv/oldest/bin/python --resolution lowest-direct -e '.[tests,adapters]'
	.venv/oldest/bin/python -m pytest $(SPREAD) tests/adapters
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv/recipes
	$(BIN)/uv pip install --quiet --python .venv/recipes/bin/python -e '.[tests,recipes]'
	.venv/recipes/bin/python -m pytest tests/adapters/recipes

bench: $(INSTALLED) ## A table of how fast it is, beside a floor of raw sockets
	$(BIN)/python -m bench

faults: $(INSTALLED) ## Thousands of kills and other faults; hours. FAULTS names some kinds, else all
	PYTHONPATH=tests:. $(BIN)/python -m faults $(FAULTS)

load: $(INSTALLED) ## Many agents for ten minutes, on both databases; needs PostgreSQL. LOAD='--help' says more
	$(BIN)/python -m bench.load $(LOAD)

attack: $(INSTALLED) ## Try what somebody would who means harm, against a server started for it; a line an attack
	$(BIN)/python -m attacks $(ATTACK)

audit: $(INSTALLED) ## Our code by bandit; what is installed by pip-audit, where a service answers
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive signoff
	$(BIN)/python .ci/audit.py

typescript: $(INSTALLED) ## clients/typescript: installed, type-checked, built, and tested against a real server; needs node 20
	cd clients/typescript && npm ci --loglevel=error && npm ci --loglevel=error --prefix runtimes
	cd clients/typescript && npm run --silent check && npm run --silent build && npm run --silent test

docs: $(INSTALLED) ## The docs as a site, in site/; a link that leads nowhere fails
	$(BIN)/python docs/site.py
	NO_COLOR=1 $(BIN)/zensical build --strict --config-file build/site/mkdocs.yml
	rm -rf site && mv build/site/site site

lock: $(INSTALLED) ## What the image installs, to the byte: after a change of pyproject.toml's libraries
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[release]'
	$(BIN)/uv pip compile --quiet $(LOCKED) pyproject.toml $(foreach extra,server embedded postgres witness otel,--extra $(extra)) \
	  -o deploy/image/run.txt
	echo 'hatchling>=1.27' | $(BIN)/uv pip compile --quiet $(LOCKED) - -o deploy/image/build.txt

release: $(INSTALLED) ## What is published: wheel, source, and a list of all that an install brings (SBOM)
	@test -n "$$SIGNOFF_REPOSITORY" || echo "SIGNOFF_REPOSITORY is not set: README's links stay relative, which is not to be published."
	rm -rf dist
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[release]'
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/hatchling build
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m venv dist/venv
	dist/venv/bin/pip install --quiet --disable-pip-version-check "$$(ls dist/*.whl)[server,embedded,postgres]"
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --of JSON \
	  -o "$$(ls dist/*.whl | sed 's/-py3.*//').cdx.json" dist/venv/bin/python
	rm -rf dist/venv
	@ls -l dist

pictures: $(INSTALLED) ## Those of README and docs, of the running demo; needs chromium
	$(BIN)/python docs/pictures.py

gallery: $(INSTALLED) ## docs/gallery.md and its pictures: thirty requests, before and after; needs chromium
	$(BIN)/python docs/gallery.py

clean:
	rm -rf .venv build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# These files say that an install went through; a changed pyproject.toml asks for another one.
$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "Installing Signoff with all that its tests and tools need, into .venv: half a minute or more."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# What it takes to run Signoff, and no tools: two thirds of the time.
$(RUNS): pyproject.toml | $(BIN)/python
	@echo "Installing Signoff and what its server needs, into .venv: some twenty seconds."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server,embedded]'
	@touch $@

$(BIN)/python:
	@found=; for python in $(or $(PYTHON),python3.11 python3 python3.14 python3.13 python3.12); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Signoff needs Python 3.11 or later, and there is none as $(or $(PYTHON),python3): install it, or say make PYTHON=/where/it/is." >&2; \
	  exit 1; \
	fi; \
	echo "Making .venv with $$found: all that is installed goes in there, and make clean takes it away."; \
	$$found -m venv .venv || { \
	  rm -rf .venv; \
	  echo "$$found cannot make a virtual environment. Debian and Ubuntu: apt-get install python3-venv." >&2; \
	  exit 1; \
	}
