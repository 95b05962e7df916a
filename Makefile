# Everything a developer does. A target sets up what it needs; a second run is quick.
# Only Python 3.11 or newer, make and a network to package registries are assumed.
PYTHON ?= python3
PORT ?= 8080
JOBS ?= 4
BIN := .venv/bin
# Python keeps what it has compiled, whatever the shell says: without that every start of a process compiles it anew.
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help
.PHONY: help demo test lint policy fmt crds lock images e2e bench bench-operator bench-hostile chaos redaction kind-up kind-down clean run-env dev-env

help: ## show this list
	@echo "make TARGET, where TARGET is"
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: run-env ## chat with a bot in the browser, no key needed (PORT=8080; other models: OLLAMA=qwen3:4b, MODEL=gpt-5-mini, FILE=model.gguf)
	@OLLAMA='$(OLLAMA)' MODEL='$(MODEL)' FILE='$(FILE)' SHA256='$(SHA256)' exec $(BIN)/python -m scripts.demo --port $(PORT)

test: dev-env ## all tests but those on a cluster (ARGS="-k telegram" chooses, JOBS=1 is for few cores)
	@echo "» programs of the Kubernetes control plane" && $(BIN)/python -m tests.controlplane.programs
	@chromium=$$(scripts/chromium.sh) && CHROMIUM=$$chromium && export CHROMIUM && \
	echo "» tests" && $(BIN)/pytest --numprocesses $(JOBS) --dist loadscope --no-loadscope-reorder --ignore tests/e2e $(ARGS)

lint: dev-env ## style, types, layers, drift of generated files and locks
	@echo "» ruff" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "» basedpyright" && $(BIN)/basedpyright
	@echo "» import-linter" && $(BIN)/lint-imports
	@echo "» generated files" && $(BIN)/python -m scripts.generate --check
	@echo "» lock files" && UV=scripts/uv.sh scripts/lock.sh --check

policy: dev-env ## scan what chart and operator make for unsafe settings; what is meant is in scripts/policy-exceptions.yaml
	@PYTHON="$(PYTHON)" scripts/venv.sh policy
	@$(BIN)/python -m scripts.policy .cache/policy/bin/checkov

fmt: dev-env ## format the code and mend what ruff can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

crds: dev-env ## make all generated files anew: the CRD and its copies, docs/api.md, docs/values.md, the guides of the commands
	@$(BIN)/python -m scripts.generate

lock: dev-env ## resolve the lock files anew, keeping what is pinned (UPGRADE=1: newest versions)
	@UV=scripts/uv.sh scripts/lock.sh $(if $(UPGRADE),--upgrade)

images: ## build the images of bot and operator and load them into the cluster
	@scripts/images.sh

e2e: dev-env ## images, chart and conversations on the current kube context
	@scripts/e2e.sh $(ARGS)

bench: dev-env ## what it costs and how fast it is; figures go to benchmarks/results.json
	@$(BIN)/python -m benchmarks $(ARGS)

bench-operator: dev-env ## 1,000 and 5,000 GptBots on a real kube-apiserver: time, memory, calls (ARGS="--bots 50 100" tries it)
	@echo "» programs of the Kubernetes control plane" && $(BIN)/python -m tests.controlplane.programs
	@$(BIN)/python -m benchmarks.operator $(ARGS)

bench-hostile: dev-env ## the longest stall that hostile inputs make, and how far a burst overruns a budget
	@$(BIN)/python -m benchmarks.hostile $(ARGS)

redaction: dev-env ## what redaction finds and takes for personal data by mistake, on labelled sentences
	@$(BIN)/python -m tests.safety.corpus

chaos: dev-env ## 20,000 messages while processes are killed; counts lost, doubled, out of order
	@$(BIN)/python -m tests.chaos $(ARGS)

kind-up: dev-env ## a kind cluster with operator and example bot; prints the address to open
	@scripts/kind-up.sh

kind-down: ## remove that cluster
	@scripts/kind-down.sh

clean: ## remove everything the other targets made, the demo's conversations too
	rm -rf .venv .cache .data artifacts .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf ./*/*.egg-info

run-env:
	@PYTHON="$(PYTHON)" scripts/venv.sh run

dev-env:
	@PYTHON="$(PYTHON)" scripts/venv.sh dev
