# Firstword: what one types. `make` alone lists it. Everything lands in .venv/ and var/, nothing elsewhere.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check replay bench train eval test-detoxify newcomer chaos look lock system-parts clean need-FILE need-DATA

# What may be given: make run PORT=8080 DATA_DIR=/srv/firstword ENGINE=detoxify:original
export PORT DATA_DIR ENGINE FILE DATA ARGS
PYTHON ?=
WORKERS ?= 2
# Installed by itself, before the locked packages that stand on it. Where a plain `torch` would bring gigabytes of GPU
# libraries, point PIP_EXTRA_INDEX_URL at the CPU builds (PyTorch's install page has the address) and give their version.
TORCH ?= torch==2.13.0

VENV := .venv
PY := $(VENV)/bin/python
# A converted model's folder needs neither torch nor Detoxify: see docs/engines.md.
CONVERTED := $(wildcard $(patsubst detoxify:%,%,$(ENGINE))/manifest.json)
ENGINE_NEEDS := $(if $(filter detoxify%,$(ENGINE)),$(if $(CONVERTED),,$(VENV)/.detoxify))

help: ## Show what can be made (this)
	@echo "Firstword. What can be made:"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile
	@echo; echo "Variables: PORT (8000) DATA_DIR (var/) ENGINE PYTHON FILE DATA ARGS WORKERS (2)"

setup: $(VENV)/.base ## Create .venv with the packages that the service needs

run: $(VENV)/.base $(ENGINE_NEEDS) ## Run the service with a demo site; Ctrl-C stops it
	@exec $(PY) -m service.cli demo up

test: system-parts $(VENV)/.test ## Run every test on SQLite and PostgreSQL, in a real browser
	@$(PY) -m pytest -n $(WORKERS) $(ARGS)

check: $(VENV)/.test ## Lint, formatting, types, who imports whom, migrations against models
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m tests.schema

replay: need-FILE $(VENV)/.base ## Post a file of real comments over HTTP and tell what came of them (FILE=…)
	@$(PY) -m service.cli replay "$$FILE" $(ARGS)

bench: $(VENV)/.test ## Measure the service, each figure beside a plain Flask route
	@$(PY) -m benchmarks $(ARGS)

train: need-DATA $(VENV)/.train ## Make the bundled model from a folder of raw data (DATA=…)
	@$(PY) -m moderation.training "$$DATA" $(ARGS)

eval: need-DATA $(VENV)/.train ## Measure engines against a folder of labelled comments (DATA=…)
	@$(PY) -m moderation.training.eval "$$DATA" $(ARGS)

test-detoxify: $(VENV)/.test $(VENV)/.detoxify ## Load a tiny real checkpoint through the real Detoxify, offline
	@$(PY) -m pytest tests/detoxify --run-detoxify $(ARGS)

newcomer: ## Meet the last commit as a newcomer does: a fresh clone, make run, two comments, Ctrl-C
	@$(find_python); "$$python" .ci/newcomer.py

look: system-parts $(VENV)/.test ## Draw every state of the widget and page of the desk as pictures, in var/look
	@$(PY) -m tests.browser.look $(ARGS)

chaos: system-parts $(VENV)/.test ## Kill clients, web and worker processes at random; count what was lost
	@$(PY) -m tests.chaos $(ARGS)

system-parts: ## Install what tests need beside Python (PostgreSQL, Redis, Chromium), or say how
	@$(find_python); "$$python" -m tests.parts

lock: $(VENV)/.lock-tool ## Make requirements/*.txt anew from pyproject.toml (ARGS=--upgrade for newer ones)
	@$(call locked,base,)
	@$(call locked,test,-c requirements/base.txt --group dev)
	@$(call locked,detoxify,-c requirements/base.txt --extra detoxify $(no_torch))
	@$(call locked,train,-c requirements/base.txt --extra train $(no_torch))

clean: ## Remove .venv, caches and what was built; never data (var/)
	@rm -rf .venv .venv-lock build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +

# ---- how ----

need-FILE need-DATA: need-%:
	@[ -n "$${$*:-}" ] || { $(call fail,$(MAKECMDGOALS) needs $*=… (see: make help)); }

# The environment is made whole or not at all; each stamp is older than its lock only when the lock has changed.
$(VENV)/.made:
	@$(find_python); echo "Creating .venv with $$("$$python" -V)"; rm -rf $(VENV); \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); $(call fail,this Python makes no environments; on Debian: apt-get install python3-venv); }
	@touch $@

$(VENV)/.base: requirements/base.txt | $(VENV)/.made
	@$(call install,base)

$(VENV)/.test: requirements/test.txt | $(VENV)/.made
	@$(call install,test)
	@touch $(VENV)/.base

$(VENV)/.torch: | $(VENV)/.made
	@echo "Installing $(TORCH)"; $(call pip,torch,$(TORCH))

$(VENV)/.detoxify: requirements/detoxify.txt $(VENV)/.torch | $(VENV)/.made
	@$(call install,detoxify)

$(VENV)/.train: requirements/train.txt $(VENV)/.torch | $(VENV)/.made
	@$(call install,train)

$(VENV)/.lock-tool: | $(VENV)/.made
	@$(call pip,lock-tool,uv)

fail = echo "make: $(1)" >&2; exit 1

# Sets the shell variable `python` to the first Python of 3.11 or newer that really runs.
find_python = for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python3.14 python); do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && break; python=; done; \
	[ -n "$$python" ] || { $(call fail,no Python of 3.11 or newer found; install one and give it as PYTHON=/path/to/python3); }

# $(call pip,NAME,ARGUMENTS): quiet, with the full story in .venv/NAME.log and its end shown on failure.
pip = $(PY) -m pip install --disable-pip-version-check --no-input $(2) > $(VENV)/$(1).log 2>&1 || { tail -n 15 $(VENV)/$(1).log >&2; \
	$(call fail,installing failed; the whole story is in $(VENV)/$(1).log); }; touch $(VENV)/.$(1)

install = echo "Installing $$(grep -c == requirements/$(1).txt) packages of requirements/$(1).txt (about a minute)"; \
	$(call pip,$(1),--require-hashes -r requirements/$(1).txt)

no_torch = --excludes requirements/without.in
locked = echo "Locking requirements/$(1).txt"; $(PY) -m uv pip compile pyproject.toml $(2) $(ARGS) --quiet --universal \
	--generate-hashes --python-version 3.11 --custom-compile-command 'make lock' --output-file requirements/$(1).txt
