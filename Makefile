# The two commands most people need: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
LIBRARY := checks fedisec tests bench manage.py

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo test test-wide test-hosts test-faults test-security check lab mutation bench bench-due bench-inside bench-matching bench-tls bench-pages bench-parsers bench-scale messages servers suites docs

help:
	@echo "make run    start fedisec (http://127.0.0.1:8000, or PORT)"
	@echo "make demo   start fedisec with three made-up servers, apart from your own"
	@echo "make test   run the tests"
	@echo "make test-wide  judge every page in every look, and a scan under every fault"
	@echo "make test-hosts  boot Debian machines with planted faults, and log in to them"
	@echo "make test-faults  kill, cut off, fill and turn back what scans and mails rest on"
	@echo "make test-security  attack it with everything there is, from crawlers to servers that mean harm"
	@echo "make check  formatting, types, imports, templates, migrations, settings"
	@echo "make docs   build the documentation, English and Japanese, into site/"
	@echo "make lab    try fedisec on a good and a bad server of its own, without the internet"
	@echo "make mutation  break the rules that decide who is told what, a line at a time: a test must notice"
	@echo "make bench  measure a scan beside five other scanners"
	@echo "make bench-inside  measure a scan from inside beside Lynis, on booted machines"
	@echo "make bench-due  measure ten thousand scans that are due at once"
	@echo "make bench-matching  match a thousand inventories with all advisories and 5,000 warnings"
	@echo "make bench-pages  measure the dashboard with a thousand instances and a year of scans"
	@echo "make bench-scale  measure memory, starts, scans a minute with one and two workers, and half an hour's soak"
	@echo "make bench-tls  ask fedisec and four other scanners about servers whose truth is known"

# Where the system's Python has become another one, the environment is empty: it is made anew.
$(shell $(PY) -c 'import pip' 2>/dev/null || rm -f $(VENV)/.run $(VENV)/.dev)

setup: $(VENV)/.run
setup-dev: $(VENV)/.dev

$(VENV)/.run: requirements.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" "$(VENV)" requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" "$(VENV)" requirements-dev.txt
	@touch $@ $(VENV)/.run

run: setup
	@exec $(PY) manage.py up

# A data folder of its own: what is made up never stands beside what is real.
demo: export FEDISEC_DATA := $(or $(FEDISEC_DATA),var/demo)
demo: setup
	@$(PY) manage.py demo --if-needed $(ARGS)
	@exec $(PY) manage.py up

# Everything in one network namespace with no way out: the lab's servers have their usual ports there, and no
# test can reach anything else.  Where no namespace may be made, the tests that need one say so and are skipped.
test: setup-dev servers suites
	@sh tools/test.sh $(PY) $(ARGS)

# axe on every page in both languages, light and dark, narrow and wide; every fault of the network under a scan; what
# uses the database once more on PostgreSQL; and whatever else takes long.
test-wide: export FEDISEC_WIDE := all
test-wide: setup-dev servers
	@sh tools/test.sh $(PY) $(ARGS)

# Needs root: real Debian machines, booted, with planted faults.  The first run builds them, about two minutes.
test-hosts: setup-dev
	@sh tools/hosts.sh $(PY) $(ARGS)

# Every fault of docs/reliability.md in real processes, in under 20 minutes; as root with the full disk as well.
test-faults: setup-dev servers
	@sh tools/faults.sh $(PY) $(ARGS)

tools/security/.env/.ready: tools/security/requirements.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" tools/security/.env tools/security/requirements.txt
	@touch $@

tools/security/.env-wapiti/.ready: tools/security/requirements-wapiti.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" tools/security/.env-wapiti tools/security/requirements-wapiti.txt
	@touch $@

# What it found stands in docs/security.md (ARGS=--write renews it); as root with slow clients as well.
test-security: setup-dev servers tools/security/.env/.ready tools/security/.env-wapiti/.ready
	@sh tools/security.sh $(PY) $(ARGS)

servers:
	@sh tools/servers.sh

suites: setup-dev
	@sh tools/fetch_rfc7208.sh $(PY)
	@sh tools/fetch_nodes.sh $(PY)
	@sh tools/fetch_sarif.sh $(PY)

check: setup-dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check -q .
	@$(VENV)/bin/mypy $(LIBRARY)
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/djlint templates --lint --quiet
	@FEDISEC_SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(60))') sh tools/check_django.sh $(PY)
	@if command -v shellcheck >/dev/null; then shellcheck tools/*.sh bench/peers/setup.sh checks/probes/collector.sh .ci/run; else echo "shellcheck is missing: shell scripts not checked"; fi

lab: setup-dev servers
	@exec $(PY) -m tests.lab $(ARGS)

.venv-docs/.ready: docs/requirements.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" .venv-docs docs/requirements.txt
	@touch $@

# Open site/index.html: it needs no web server, and asks nobody else for anything.
docs: setup .venv-docs/.ready
	@$(PY) -m checks.sources_doc docs/items
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet --strict
	@echo "fedisec: the documentation is in site/index.html"

bench/.env/.ready: bench/requirements.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" bench/.env bench/requirements.txt
	@touch $@

bench/.env-checkdmarc/.ready: bench/requirements-checkdmarc.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" bench/.env-checkdmarc bench/requirements-checkdmarc.txt
	@touch $@

bench/.env-mutation/.ready: bench/requirements-mutation.txt tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" bench/.env-mutation bench/requirements-mutation.txt
	@touch $@

# Some 800 small changes to the state machine, each with the tests of it: about five minutes.
mutation: setup-dev bench/.env-mutation/.ready
	@sh tools/mutation.sh $(PY) bench/.env-mutation

# Needs root (a slow link between two network namespaces) and about three minutes.
bench: setup-dev servers bench/.env/.ready bench/.env-checkdmarc/.ready
	@sh bench/peers/setup.sh
	@$(PY) -m tests.lab.netns $(PY) -m bench.outside

# Needs root: booted machines as for test-hosts.  About a quarter of an hour, most of it Lynis and ssh.
bench-inside: setup-dev
	@sh tools/hosts.sh $(PY) --bench

# Fills a database of 1 GB or so (about ten minutes), then asks for each page.
bench-pages: setup-dev
	@$(PY) -m bench.pages $(ARGS)

bench-matching: setup-dev
	@$(PY) -m bench.matching $(ARGS)

# Ten thousand instances due at once, PostgreSQL, Redis and four workers: about a quarter of an hour.
bench-due: setup-dev servers
	@$(PY) -m tests.lab.netns $(PY) -m bench.due $(ARGS)

bench-parsers: setup-dev
	@$(PY) -m bench.parsers

# Needs root (cores and host names of its own) and 45 minutes, 30 of them the soak.
bench-scale: setup-dev servers
	@$(PY) -m tests.lab.netns $(PY) -m bench.scale $(ARGS)

# Four other scanners and fedisec at the servers of the TLS matrix, one after the other: about half an hour.
bench-tls: setup-dev servers suites bench/.env/.ready
	@sh bench/peers/setup.sh
	@$(PY) -m tests.lab.netns $(PY) -m bench.tls_matrix $(ARGS)

# After a change of a text: collect, translate locale/ja, then this again.
messages: setup-dev
	@FEDISEC_SECRET_KEY=not-used-not-used-not-used-not-used-not-used-not-used $(PY) manage.py makemessages -l ja --no-location --no-obsolete -i .venv -i var -i tests -i bench
	@FEDISEC_SECRET_KEY=not-used-not-used-not-used-not-used-not-used-not-used $(PY) manage.py compilemessages -l ja
