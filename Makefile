# The developers' interface. Two commands matter: `make demo` and `make test`; both start from Python and make only.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Compiling scikit-learn and the CDK anew takes every process seconds: let Python keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help .venv demo demo-delivery test test-slow test-all lint unit faults stacks packaging documentation security e2e frameworks e2e-delivery \
  conformance mutations bench bench-batch bench-serving bench-drift bench-delivery bench-lineage test-spark wheel coverage docs lock clean

help:  ## this list
	@grep -hE '^[a-z0-9.-]+:.*##' Makefile | sed -E 's/:.*## /:/' | column -t -s:

.venv: .venv/.synced  ## the Python environment, exactly as requirements.lock says

.venv/.synced: requirements.lock pyproject.toml tools/find-python tools/make-venv
	@tools/make-venv

demo: .venv  ## the whole life of a model on the embedded AWS: train, deploy, watch, drift, retrain
	@model-factory demo

demo-delivery: .venv  ## git push through three accounts on the embedded AWS: approved, stopped by a gate, stopped by a build
	@model-factory demo-delivery

# Each group of tests (tools/test_groups.py) is a process of its own. Two run at once, the longest first; what each said is shown when
# it ends.
GROUPS := @python -m tools.test_groups

test: .venv  ## what a change needs before it is committed: lint, unit tests, templates, documentation, the loop, a delivery
	$(GROUPS) test

test-slow: .venv  ## what breaks more rarely and takes longer: every scenario end to end, permissions, wheels, AWS's serving toolkit
	$(GROUPS) slow

test-all: export FUZZ_EXAMPLES = 300
test-all: .venv  ## both, as CI does every night
	$(GROUPS) all

coverage: export OMP_NUM_THREADS = 1

lint: .venv  ## ruff and ty
	ruff check .
	ruff format --check .
	ty check

unit: .venv  ## unit tests: nothing outside of this machine
	$(GROUPS) unit

stacks: .venv  ## the CloudFormation templates, against cfn-lint, cdk-nag and what they promise
	$(GROUPS) stacks

FAULT_STEPS ?= 500000
faults: .venv  ## the functions under faults of AWS and of people, for FAULT_STEPS steps (500,000)
	python -m tests.faults.run --steps $(FAULT_STEPS)

packaging: .venv  ## the wheels in fresh environments outside of the checkout, and the embedded AWS without Model Factory
	$(GROUPS) packaging

documentation: .venv  ## every command and code block of README and docs/
	$(GROUPS) documentation

security: .venv  ## findings of the rule packs on all features, policy statements, and what is allowed on any resource and why
	python tools/security.py

conformance: .venv  ## the trained artifact under AWS's own serving toolkit
	$(GROUPS) conformance

e2e: .venv  ## the deployed factory, run on the embedded AWS
	$(GROUPS) e2e

# PyTorch comes from PyPI with NVIDIA's libraries (gigabytes), unless uv finds the CPU wheel: UV_FIND_LINKS or UV_INDEX.
FAMILIES ?= scikit-learn,lightgbm,xgboost,catboost,own-format,xgboost-image,pytorch
frameworks: .venv  ## scikit-learn, LightGBM, XGBoost (library and image), CatBoost, PyTorch, an own format through the whole loop
	FAMILIES=$(FAMILIES) pytest --quiet tests/e2e/test_own_libraries.py

e2e-delivery: .venv  ## pushes through the deployed delivery pipeline, run on the embedded AWS
	$(GROUPS) e2e-delivery

mutations: .venv  ## changes one place at a time; a test has to fail (FILES="lambda/deploy jobs/drift/decision.py", LIMIT=10)
	OMP_NUM_THREADS=1 python -W ignore::DeprecationWarning -m tools.mutation --limit $(or $(LIMIT),10) --seed $(or $(SEED),0) $(FILES)

bench: .venv  ## the jobs' CPU seconds and peak memory, captured requests read a second
	PYTHONPATH=.:constructs python -m benchmarks.jobs_speed
	PYTHONPATH=.:constructs python -m benchmarks.jobs_memory
	PYTHONPATH=.:constructs python -m benchmarks.captured_requests

bench-delivery: .venv  ## ten models change in one push: seconds, and trainings at a time
	PYTHONPATH=.:constructs python -m benchmarks.parallel_trainings

bench-lineage: .venv  ## lineage and look-ups from data forward in a factory of 100 models x 50 versions x 3 environments
	PYTHONPATH=.:constructs python -m benchmarks.lineage

bench-reproductions: .venv  ## 20 versions of four models trained again, after their code changed and their stacks were destroyed
	PYTHONPATH=.:constructs python -m benchmarks.reproductions

bench-batch: .venv  ## rows a second and processor of the job score, against plain pandas with the same model
	PYTHONPATH=.:constructs python -m benchmarks.batch_scoring

bench-serving: .venv  ## requests a second under AWS's serving toolkit, against hand-written handlers of the same model
	@tools/make-conformance-venv
	PYTHONPATH=.:constructs python -m benchmarks.serving

bench-drift: .venv .venv-drift-peers  ## drift detection against Evidently, NannyML and scipy on the same files
	PYTHONPATH=.:constructs python -m benchmarks.drift --peers .venv-drift-peers/bin/python

.venv-drift-peers: .venv benchmarks/requirements-drift-peers.txt
	uv venv --quiet --clear --python .venv/bin/python .venv-drift-peers
	uv pip install --quiet --python .venv-drift-peers/bin/python --requirement benchmarks/requirements-drift-peers.txt
	@touch .venv-drift-peers

test-spark: .venv .venv-spark  ## the drift counts as a PySpark job in local mode (needs Java)
	pytest tests/unit/drift/test_spark.py --quiet

.venv-spark: .venv tools/requirements-spark.txt
	uv venv --quiet --clear --python .venv/bin/python .venv-spark
	uv pip install --quiet --python .venv-spark/bin/python --requirement tools/requirements-spark.txt
	@touch .venv-spark

wheel: .venv  ## the wheels of the library and of the embedded AWS, in dist/
	rm -rf dist
	uv build --quiet --wheel . --out-dir dist
	uv build --quiet --wheel local_aws --out-dir dist
	@ls -l dist/*.whl

coverage: .venv  ## lines that no unit test or test of templates reaches (docs/explanation/coverage.md)
	rm -rf .coverage && mkdir .coverage
	python -m tools.test_groups --paths unit | xargs -P 2 -I{} sh -c 'coverage run --rcfile tools/coverage.toml -m pytest --quiet {}'
	coverage run --rcfile tools/coverage.toml -m pytest --quiet tests/stacks
	coverage combine --quiet --rcfile tools/coverage.toml
	coverage report --rcfile tools/coverage.toml

docs: .venv  ## the documentation as a site, in site/; a broken link fails the build
	@tools/make-docs-venv
	PYTHONPATH=.:constructs python -m tools.docs_pages
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

lock: .venv  ## resolve pyproject.toml anew into requirements.lock and tools/*.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.12 \
	  --group dev --all-extras --no-emit-package local-aws pyproject.toml --output-file requirements.lock --custom-compile-command "make lock"
	python tools/cli_lock.py
	python tools/image_registries.py
	python tools/regions.py
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.12 \
	  tools/checkov.in --output-file tools/checkov.lock --custom-compile-command "make lock"
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.12 \
	  tools/docs.in --output-file tools/docs.lock --custom-compile-command "make lock"
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.12 \
	  --override <(echo flask==3.1.3) tools/conformance.in --output-file tools/conformance.lock --custom-compile-command "make lock"

clean:  ## remove what make made
	rm -rf .venv .venv-conformance .venv-checkov .venv-drift-peers .venv-spark .venv-docs site dist .coverage docs/reference/generated cdk.out .local_aws .validated .pytest_cache .ruff_cache .hypothesis
