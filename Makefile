# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help test demo deps .venv lint unit sanity molecule engines browser proofs bench readme docs build clean

link := .collections/ansible_collections/oomguard/linux

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
export MOLECULE_GLOB := molecule/*/molecule.yml
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## List the targets
	@sed -n 's/^\([a-z.]*\):.*## /\1 /p' Makefile | while read -r target text; do printf '%-10s %s\n' "$$target" "$$text"; done

test: deps lint unit sanity molecule ## Run all checks, quick ones first

demo: deps .venv $(link) ## Show incident, explanation, fix and proof on a virtual machine (KEEP=1 keeps it)
	PYTHONPATH=tests/demo:tests/lab python -m demo

deps: ## Install missing system packages from bindep.txt
	@tests/tools/deps

.venv: $(link) ## Install the pinned Python tools
	@tests/tools/venv

$(link): # Ansible finds the checkout as the collection, in any folder.
	@mkdir -p $(@D) && ln -sn ../../.. $@

lint: .venv $(link) ## Check style, types, imports, licences, documentation and packaging
	ruff check
	ruff format --check
	mypy
	PYTHONPATH=.collections lint-imports --no-logo --cache-dir .cache/imports
	yamllint --strict .
	reuse lint --lines
	shellcheck .ci/run tests/tools/deps tests/tools/venv
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
	ansible-galaxy collection build --force --output-path .cache/lint
	ansible-lint

unit: .venv $(link) ## Run the unit tests
	pytest

sanity: .venv $(link) ## Run ansible-test sanity with each supported Python that is installed
	python tests/tools/sanity.py

molecule: .venv $(link) ## Run the main Molecule scenario on virtual machines of three releases
	molecule test

engines: .venv $(link) ## Run the programs that read metrics (Prometheus, node_exporter) or run playbooks (cron, systemd)
	pytest tests/engines

browser: .venv $(link) ## Look at the page of the report with Chromium, and take the screenshots in docs/images
	tests/tools/deps browser
	pytest tests/browser
	PYTHONPATH=.collections python -m ansible_collections.oomguard.linux.tests.browser.screenshots

proofs: engines ## Run the longer Molecule scenarios: one for each part, and one for thrashing hosts
	molecule test --scenario-name dropin
	molecule test --scenario-name fcgid
	molecule test --scenario-name recycler
	molecule test --scenario-name swap
	molecule test --scenario-name effects
	molecule test --scenario-name thrash
	molecule test --scenario-name choices
	molecule test --scenario-name remedies
	molecule test --scenario-name databases
	molecule test --scenario-name fleet
	molecule test --scenario-name history

bench: .venv $(link) ## Measure speed and memory
	PYTHONPATH=tests/benchmarks:.collections python -m bench_log
	PYTHONPATH=tests/benchmarks:.collections python -m bench_report
	PYTHONPATH=tests/benchmarks:.collections python -m bench_journal
	PYTHONPATH=tests/benchmarks:.collections python -m bench_workers
	PYTHONPATH=tests/benchmarks python -m bench_fleet
	PYTHONPATH=tests/benchmarks:.collections python -m bench_page
	PYTHONPATH=tests/benchmarks:tests/lab:tests/scenario python -m bench_swap

readme: .venv ## Update the tables of variables in the READMEs of the roles
	ansible-docsmith generate --config .config/ansible-docsmith/config.toml .

docs: .venv $(link) ## Build the HTML documentation in docs/build
	mkdir -p .cache/docs
	antsibull-docs collection --use-current --cleanup everything --squash-hierarchy --dest-dir .cache/docs oomguard.linux
	sphinx-build -q -C -D extensions=sphinx_antsibull_ext -D project=oomguard.linux -D html_theme=alabaster .cache/docs docs/build

build: .venv ## Build the collection for Ansible Galaxy, and the program oomguard-explain.pyz
	ansible-galaxy collection build --force
	python tests/tools/pyz.py oomguard-explain.pyz

clean: ## Remove all files that make has created in this checkout
	rm -rf .ansible .cache .collections .hypothesis .mypy_cache .pytest_cache .ruff_cache .venv docs/build tests/output oomguard-explain.pyz oomguard-linux-*.tar.gz
