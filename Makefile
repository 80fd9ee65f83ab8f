# Two commands do everything: `make quickstart` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLUSTER := $(PYTHON) hack/cluster
IMAGES := $(BIN)/python hack/images
PYTEST := $(BIN)/pytest
REPORTS := build/reports
# What pods run, and not the sources: what is measured, and what tests of the engine run on once more.
AS_SHIPPED := PYTHONPATH=build/compiled
# What is published out of the tests' own tables.
OF_TESTS := PYTHONPATH=tests
# Those that exchange the engine's inner parts, which a compiled one has not, are left out.
OF_THE_ENGINE = $(filter-out tests/server/test_complaints.py,$(shell grep -l 'typosentinel_server.scan' tests/server/*.py))
SOURCES := operator server hack tests

##@ Try it
.PHONY: quickstart
quickstart: setup ## Local cluster, images, chart, a ScanService, and verdicts from its pods on the screen
	@$(BIN)/python -m hack.quickstart

.PHONY: scan
scan: setup ## Scan names through the quickstart's Service: make scan NAMES="reqeusts lodahs" [ECOSYSTEM=npm]
	@$(BIN)/python -m hack.quickstart scan --ecosystem "$(or $(ECOSYSTEM),PyPI)" $(NAMES)

##@ Work on it
.PHONY: setup
setup: $(READY) ## Make .venv with everything that the other targets need

$(READY): pyproject.toml setup.py server/typosentinel_server/scan/_native.c requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "[setup] .venv with locked dependencies (about half a minute) …"
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: compiled
compiled: setup ## Build the wheel that images get, engine compiled, and put it into build/compiled
	@$(BIN)/python -m hack.compiled

.PHONY: format
format: setup ## Format the sources
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

.PHONY: generate
generate: setup ## Write what is generated: CRDs, reference pages, the API's documents, golden files, what Argo CD is told, the sample of labelled names
	$(BIN)/python -m hack.gen_crds
	$(BIN)/python -m hack.gen_reference
	$(BIN)/python -m hack.gen_methods
	$(BIN)/python -m hack.gen_openapi
	$(BIN)/python -m hack.benchmark_sample
	$(BIN)/python -m hack.golden_update
	$(OF_TESTS) $(BIN)/python -m hack.gen_gitops

.PHONY: lock
lock: setup ## Resolve the dependencies anew into requirements/*.txt
	$(BIN)/python hack/lock.py

.PHONY: corpora
corpora: setup ## Build the built-in corpora, the English words and the look-alike letters anew from pinned sources
	$(BIN)/python -m hack.corpora.build
	$(BIN)/python -m hack.corpora.words
	$(BIN)/python -m hack.detection.confusables

.PHONY: manifests
manifests: setup ## Render the chart for kubectl apply into build/typosentinel.yaml
	@$(BIN)/python -m hack.manifests

.PHONY: clean
clean: ## Remove what the targets made in this folder (never the cluster, never the caches)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Check it
.PHONY: test
test: test-unit test-compiled test-services test-fuzz test-cluster test-faults test-e2e audit-rights ## All tests, one tier after another

.PHONY: test-unit
test-unit: setup ## Unit and contract tests: no cluster, no root
	@mkdir -p $(REPORTS)
	$(PYTEST) --junitxml=$(REPORTS)/unit.xml
	@$(BIN)/python hack/check_report.py $(REPORTS)/unit.xml

.PHONY: test-compiled
test-compiled: compiled ## The engine's tests on what mypyc makes of it, which is what pods run
	@mkdir -p $(REPORTS)
	$(AS_SHIPPED) $(PYTEST) tests/compiled $(OF_THE_ENGINE) --junitxml=$(REPORTS)/compiled.xml
	@$(BIN)/python hack/check_report.py $(REPORTS)/compiled.xml

.PHONY: test-services
test-services: setup ## The server with real Redis, slow and lying peers, strangers' sockets, a browser: root or sudo to install Redis and Chromium
	@mkdir -p $(REPORTS)
	@$(BIN)/python -m hack.programs redis-server chromium
	$(PYTEST) tests/services --junitxml=$(REPORTS)/services.xml
	@$(BIN)/python hack/check_report.py $(REPORTS)/services.xml

.PHONY: test-fuzz
test-fuzz: setup ## Half a minute of fuzzing by coverage: names, lists, standard input
	@mkdir -p $(REPORTS)
	$(PYTEST) tests/fuzz --junitxml=$(REPORTS)/fuzz.xml
	@$(BIN)/python hack/check_report.py $(REPORTS)/fuzz.xml

.PHONY: test-cluster
test-cluster: setup ## The operator against a real kube-apiserver of its own: no root
	@mkdir -p $(REPORTS)
	@$(CLUSTER) build
	@# Two workers, each with a control plane of its own: most of a test's time is waiting for Kubernetes.
	$(PYTEST) tests/cluster -n 2 --dist loadfile --junitxml=$(REPORTS)/cluster.xml
	@$(BIN)/python hack/check_report.py $(REPORTS)/cluster.xml
	@$(MAKE) --no-print-directory audit-rights

.PHONY: test-faults
test-faults: setup ## Samples of the campaigns against the operator: a proxy before a real kube-apiserver, crashes at drawn writes
	@mkdir -p $(REPORTS)
	@$(CLUSTER) build
	@# Two worlds, of the API server's faults and of crashes.
	$(PYTEST) tests/faults -n 2 --dist loadfile --junitxml=$(REPORTS)/faults.xml
	@$(BIN)/python hack/check_report.py $(REPORTS)/faults.xml

.PHONY: test-e2e
test-e2e: setup ## Chart, images, pods and scans on the local cluster: root or sudo
	@mkdir -p $(REPORTS)
	@# A cluster that was not there before is not there afterwards either.
	@$(CLUSTER) status > /dev/null 2>&1 || trap '$(CLUSTER) down' EXIT; \
	$(CLUSTER) up; $(IMAGES) build --load; \
	$(PYTEST) tests/e2e --junitxml=$(REPORTS)/e2e.xml; \
	$(BIN)/python hack/check_report.py $(REPORTS)/e2e.xml

.PHONY: audit-rights
audit-rights: setup ## Rights that the chart grants, held against those that were used in the tests (make test-cluster before)
	@PYTHONPATH=tests:. $(BIN)/python -m rightsaudit

.PHONY: verify
verify: setup ## Format, lint, types, import contracts, generated files, docs
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m hack.gen_crds --check
	$(BIN)/python -m hack.gen_reference --check
	$(BIN)/python -m hack.gen_methods --check
	$(BIN)/python -m hack.gen_openapi --check
	$(BIN)/python -m hack.benchmark_sample --check
	$(BIN)/python -m hack.golden_update --check
	$(OF_TESTS) $(BIN)/python -m hack.gen_gitops --check
	$(BIN)/python hack/lock.py --check
	$(BIN)/python -m hack.detection.confusables --check
	$(BIN)/python hack/check_docs.py

.PHONY: fuzz
fuzz: setup ## Fuzzing by coverage for longer: make fuzz [SECONDS=600]
	@$(BIN)/python -m hack.fuzz --seconds "$(or $(SECONDS),600)"

.PHONY: fuzz-api
fuzz-api: setup ## schemathesis and 100,000 broken bodies at a running server: make fuzz-api [SECONDS=120] [BODIES=100000]
	@$(BIN)/python -m hack.fuzz.api --seconds "$(or $(SECONDS),120)" --bodies "$(or $(BODIES),100000)"

.PHONY: faults-http
faults-http: setup ## Slow clients, bombs, crumbs and restarts in full, against a server of its own (7 minutes)
	@$(BIN)/python -m hack.faults

.PHONY: faults-redis
faults-redis: setup ## Redis killed, held, flapping, wiped, full and a provider that hangs, under load; one limit over three servers (2 minutes)
	@$(BIN)/python -m hack.programs redis-server
	@$(BIN)/python -m hack.faults.shared

.PHONY: faults-rollout
faults-rollout: setup ## Ten rolling updates and three scale-ins of real pods under load: needs the local cluster, 6 minutes
	@$(CLUSTER) up; $(IMAGES) build --load
	@$(BIN)/python -m hack.load.rollout

.PHONY: faults-crash
faults-crash: setup ## The operator killed at every write of seven workloads, in three ways: make faults-crash [ARGS="scale --points 5"] (half an hour)
	@$(CLUSTER) build --control-plane
	@PYTHONPATH=tests:. $(BIN)/python -m faults crash $(ARGS)

.PHONY: faults-removal
faults-removal: setup ## Release, definitions, namespaces removed in every order, with and without a living operator (5 minutes)
	@$(CLUSTER) build
	$(PYTEST) tests/cluster/test_removal.py --every-removal

.PHONY: faults-api
faults-api: setup ## The API server away, silent, stale, broken, and children changed by hand: make faults-api [ARGS="drift --minutes 1"] (half an hour)
	@$(CLUSTER) build --control-plane
	@PYTHONPATH=tests:. $(BIN)/python -m faults api $(ARGS)

##@ Measure it
.PHONY: fit-weights
fit-weights: setup ## Fit the scanner's weights to labelled names, show how good they are, write: BENCH_DATA=DIR make fit-weights
	@$(BIN)/python -m hack.detection.fit --write

.PHONY: bench-detection
bench-detection: compiled ## What the scanner detects and what it flags wrongly: BENCH_DATA=DIR make bench-detection
	@$(AS_SHIPPED) $(BIN)/python -m hack.detection.bench

.PHONY: bench-engine
bench-engine: compiled ## Time and memory of a scan beside three peers: BENCH_DATA=DIR make bench-engine (cargo, 2 minutes)
	@$(AS_SHIPPED) $(BIN)/python -m hack.bench.engine

.PHONY: bench-batch
bench-batch: compiled ## Names per second of a batch beside the engine alone, two workers beside one: [BENCH_DATA=DIR] make bench-batch
	@$(AS_SHIPPED) $(BIN)/python -m hack.bench.batch

.PHONY: bench-http
bench-http: compiled ## Requests per second and latency beside a bare aiohttp handler: BENCH_DATA=DIR make bench-http (2 minutes)
	@$(BIN)/python -m hack.programs wrk redis-server
	@$(AS_SHIPPED) $(BIN)/python -m hack.bench.http

.PHONY: bench-cache
bench-cache: compiled ## Hit rates, times and memory of the caches, with a real Redis (2 minutes; root or sudo to install Redis)
	@$(BIN)/python -m hack.programs redis-server
	@$(AS_SHIPPED) $(BIN)/python -m hack.bench.cache

.PHONY: bench-limits
bench-limits: compiled ## One limit over three replicas, never more and hardly ever less, and what a decision costs (a minute)
	@$(BIN)/python -m hack.programs redis-server
	@$(AS_SHIPPED) $(BIN)/python -m hack.bench.limits

.PHONY: bench-operator
bench-operator: setup ## The operator with 100, 300 and 1,000 ScanServices on simulated nodes: make bench-operator [N=100,300,1000] [ARGS="--rounds 1"] (an hour)
	@$(CLUSTER) build --crowded
	@PYTHONPATH=tests:. $(BIN)/python -m hack.bench.operator $(if $(N),--counts "$(N)") $(ARGS)

##@ Cluster
.PHONY: cluster-up
cluster-up: ## Start the local Kubernetes (kind where Docker answers, else the real parts; root or sudo)
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: ## Stop it and remove all of it but the compiled programs
	@$(CLUSTER) down

.PHONY: cluster-status
cluster-status: ## What of it runs
	@$(CLUSTER) status

.PHONY: kubeconfig
kubeconfig: ## Print the path of its kubeconfig
	@$(CLUSTER) kubeconfig

.PHONY: kubectl
kubectl: ## Print the path of a kubectl for it: $$(make -s kubectl) get pods -A
	@$(CLUSTER) kubectl

.PHONY: helm
helm: ## Print the path of a helm for it
	@$(CLUSTER) helm

.PHONY: images
images: setup ## Build both images and load them into the local cluster if it runs
	@if $(CLUSTER) status > /dev/null 2>&1; then $(IMAGES) build --load; else $(IMAGES) build; fi

.PHONY: deploy
deploy: setup ## Install or upgrade the chart: make deploy [CONTEXT=name] [NAMESPACE=…] [OPERATOR_IMAGE=…] [SERVER_IMAGE=…]
	@$(BIN)/python -m hack.deploy $(if $(CONTEXT),--context "$(CONTEXT)") $(if $(NAMESPACE),--namespace "$(NAMESPACE)") \
	  $(if $(OPERATOR_IMAGE),--operator-image "$(OPERATOR_IMAGE)") $(if $(SERVER_IMAGE),--server-image "$(SERVER_IMAGE)")

##@ This list
.PHONY: help
help: ## Every target, with one line each
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {gsub(/\$$\$$/, "$$", $$2); printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
