# make install: the set-up. make demo: the whole story on the example shop. make test: everything CI checks.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEMO ?= tailorbird-demo
TESTS ?= -m "not slow"

.PHONY: install demo test slow check docs clean

install: $(STAMP)

# torch first and by its exact name, so that nothing pulls another build of it.
$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tailorbird needs Python 3.11 or newer")'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -q pip==26.3
	$(BIN)/python -m pip install --disable-pip-version-check -q torch==2.13.0
	$(BIN)/python -m pip install --disable-pip-version-check -q -e ".[dev]"
	touch $@

demo: install
	$(BIN)/tailorbird demo $(DEMO)

check: install
	$(BIN)/pre-commit run --all-files

test: check
	$(BIN)/pytest -n 2 --dist loadfile --durations 20 $(TESTS)

slow: install
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "slow and not alone" --durations 20
	$(BIN)/pytest -m alone -s

docs: install
	$(BIN)/python docs/make_cli.py > docs/cli.md

clean:
	rm -rf .venv build dist tailorbird-demo
