# Everything is in tools/; these are names for it. PG* variables name a PostgreSQL server,
# ODOO_HOME an Odoo 19; without them both are brought along.
PYTHON ?= python3
PORT ?= 8069
DB ?= ipai
ARGS ?=

.PHONY: run test demo consistency lint clean help
.DEFAULT_GOAL := help

run: ## Start Odoo with the addon and its demo data (PORT=8069 DB=ipai)
	@$(PYTHON) -m tools run --port "$(PORT)" --database "$(DB)"

test: ## Run all tests, or some: make test ARGS="tests/unit/policy -k word"
	@$(PYTHON) -m tools test $(ARGS)

demo: ## Carry a release of this repository through its gates, from outside
	@$(PYTHON) -m tools demo --port "$(PORT)" --database "$(DB)" $(ARGS)

consistency: ## Look for contradictions in the model and the documents (ARGS=<database>)
	@$(PYTHON) -m tools consistency $(ARGS)

lint: ## Run all linters (ARGS=--fix lets them repair what they can)
	@$(PYTHON) -m tools lint $(ARGS)

clean: ## Remove all that was made, databases included
	@$(PYTHON) -m tools clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 16
