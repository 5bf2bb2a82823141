# The developers' interface. Two commands matter: `make demo` and `make test`; both start from Python and make only.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
WORKERS ?= 2

.PHONY: help demo test lint unit stacks e2e lock clean

help:  ## this list
	@grep -hE '^[a-z0-9.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv: .venv/.synced  ## the Python environment, exactly as requirements.lock says

# uv installs the locked set in seconds where pip takes minutes. It is the one package that the lock does not hold.
.venv/.synced: requirements.lock pyproject.toml find-python
	@bootstrap=$$(./find-python) \
	&& if [ "$$bootstrap" = uv ]; then uv venv --quiet --clear --managed-python --python 3.12 .venv; UV=uv; \
	   else [ -x .venv/bin/uv ] || { "$$bootstrap" -m venv --clear .venv && .venv/bin/python -m pip install --quiet uv; }; UV=.venv/bin/uv; fi \
	&& VIRTUAL_ENV=.venv $$UV pip sync --quiet --require-hashes requirements.lock $$([ "$$UV" = uv ] || echo --no-uninstall-uv) ; true
