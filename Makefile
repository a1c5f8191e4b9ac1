# Everything happens in a virtual environment under this folder; nothing is global.
# TESTERS is how many processes share the tests of `make check`, which mostly wait.
# Tests on a real Slurm come after them: it waits for clocks of its own, so they do not share.

PYTHON ?= python3
PREFIX ?= $(HOME)/.local
TESTERS ?= 3
CC ?= cc

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := -m pip --disable-pip-version-check --quiet
SHIM_SOURCES := $(wildcard hsched/native/*.[ch])
THIN_SOURCES := $(wildcard hsched/native/thin/*.[ch])
SANITIZED := build/hsched-shim-sanitized
SANITIZED_THIN := build/hsched-thin-sanitized
SANITIZERS := -g -O1 -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror \
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

.DEFAULT_GOAL := help
.PHONY: help demo test test-slurm check lint type man completions bench screenshot soak sanitize install clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)  ## run a real pipeline on a scheduler of its own
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

test: $(READY)  ## run all tests
	$(BIN)/python -m pytest

test-slurm: $(READY)  ## as root on Debian: install Slurm and test against a real one
	dpkg-query -W slurm-wlm slurm-client munge >/dev/null 2>&1 || \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends slurm-wlm slurm-client munge
	HSCHED_NEED_SLURM=1 $(BIN)/python -m pytest tests/slurm

check: lint type  ## what must pass before a commit: lint, type, test
	$(BIN)/python -m pytest --forbid-skips --ignore tests/slurm -n $(TESTERS) --dist loadfile
	$(BIN)/python -m pytest --forbid-skips tests/slurm

lint: $(READY)  ## look for faults in style
	$(BIN)/ruff check .

type: $(READY)  ## check the types
	$(BIN)/mypy

man: $(READY)  ## write OPTIONS of the man pages from the commands
	$(BIN)/python -m hsched.cli.manual

completions: $(READY)  ## write the files by which shells complete the commands
	$(BIN)/python -m hsched.cli.loaders

bench: $(READY)  ## measure, next to other programs; writes docs/benchmarks.md
	$(BIN)/python -m tests.bench --write docs

screenshot: $(READY)  ## draw docs/top.svg: hsched top, with real jobs
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/top.sh docs/top.svg

soak: $(READY)  ## kill brokers and shims at random for ten minutes, beside a model
	$(BIN)/python -m tests.crash.soak

sanitize: $(READY) $(SANITIZED) $(SANITIZED_THIN)  ## test the C programs under the address and undefined-behaviour sanitizers
	HSCHED_SHIM=$(CURDIR)/$(SANITIZED) $(BIN)/python -m pytest tests/shim tests/broker/test_nursery.py tests/broker/test_shims.py tests/broker/test_offers.py
	HSCHED_THIN_PROGRAM=$(CURDIR)/$(SANITIZED_THIN) $(BIN)/python -m pytest tests/thin

install:  ## install for this user: commands, man pages and completions under PREFIX (~/.local)
	$(call require_python)
	$(PYTHON) -m venv $(PREFIX)/lib/hsched
	$(PREFIX)/lib/hsched/bin/python $(PIP) install .
	mkdir -p $(PREFIX)/bin $(PREFIX)/share/man/man1 $(PREFIX)/share/man/man7
	ln -sf $(PREFIX)/lib/hsched/bin/h[a-z]* $(PREFIX)/bin
	ln -sf $(PREFIX)/lib/hsched/share/man/man1/h* $(PREFIX)/share/man/man1
	ln -sf $(PREFIX)/lib/hsched/share/man/man7/h* $(PREFIX)/share/man/man7
	for folder in bash-completion/completions fish/vendor_completions.d zsh/site-functions; do \
	  mkdir -p $(PREFIX)/share/$$folder && \
	  ln -sf $(PREFIX)/lib/hsched/share/$$folder/*h* $(PREFIX)/share/$$folder || exit 1; done

clean:  ## remove what the targets above have made here
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f hsched/native/hsched-shim hsched/native/build-id
	rm -rf hsched/native/bin
	find hsched tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Fail in one line that says what to do.
define require_python
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
  { echo 'make: Python 3.10 or newer is needed; name one: make PYTHON=python3.12 ...' >&2; exit 1; }
@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
  { echo 'make: $(PYTHON) has no venv module; install it, for example: apt install python3-venv' >&2; exit 1; }
endef

# An editable install, made again when the C programs or what hsched depends on has changed.
$(READY): pyproject.toml hsched/native/build_hook.py $(SHIM_SOURCES) $(THIN_SOURCES)
	$(call require_python)
	@echo 'make: preparing $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) install --editable '.[test]' || \
	  { echo 'make: pip could not install; is a package index in reach? (PIP_INDEX_URL names one)' >&2; exit 1; }
	@touch $@

$(SANITIZED): $(SHIM_SOURCES)
	mkdir -p $(@D)
	$(CC) $(SANITIZERS) -o $@ $(filter %.c,$^)

$(SANITIZED_THIN): $(THIN_SOURCES)
	mkdir -p $(@D)
	$(CC) $(SANITIZERS) -DHSCHED_LIBC -o $@ $(filter %.c,$^)
