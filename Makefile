# Two commands matter: make demo (see it run) and make test (see it hold). The rest is for daily work; make help lists it.

GO        ?= go
CACHE     ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ebbgate
TOOLS     := $(CACHE)/tools
BIN       := bin/ebbgate
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)

# Packages in which goroutines share state; they run a second time under the race detector.
RACE      := ./internal/kafka/... ./internal/state/... ./internal/stage/... ./plugins/redpanda/... ./plugins/consent/... ./plugins/redact/...

# A part the README promises must not be skipped: tests that need the ClickHouse engine or the npm client fail instead.
export EBBGATE_REQUIRE_ENGINE ?= 1

STATICCHECK_VERSION := 2026.2.2
GOFUMPT_VERSION     := v0.9.2

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: build ## Run events from a broker through the gate into ClickHouse, and balance the books (KEEP=1 leaves it running)
	$(BIN) demo $(if $(KEEP),--keep)

.PHONY: build
build: ## Build bin/ebbgate
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/ebbgate

.PHONY: test
test: fetch unit race pipelines ## Everything that must hold; within 15 minutes on two cores

.PHONY: fetch
fetch: build postgres chromium $(TOOLS)/promtool $(TOOLS)/prometheus ## Fetch what demo and tests need into the cache, once
	$(BIN) sandbox fetch
	$(GO) test -count=1 -run '^TestPackagesAreCached$$' ./tests/signatures

.PHONY: unit
unit:
	$(GO) test -timeout 14m ./...

.PHONY: race
race:
	CGO_ENABLED=1 $(GO) test -race -timeout 14m $(RACE)

.PHONY: pipelines
pipelines: build ## Lint and unit-test the shipped workspace and every YAML block of the docs
	$(BIN) lint ./pipelines
	$(BIN) test ./pipelines/... ./bloblang/lib/...

.PHONY: lint
lint: $(TOOLS)/staticcheck $(TOOLS)/gofumpt ## Format check, vet, staticcheck
	@out=$$($(TOOLS)/gofumpt -l cmd internal plugins bloblang tests); test -z "$$out" || { echo "gofumpt would change:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags faults ./internal/crash
	$(TOOLS)/staticcheck ./...

.PHONY: fmt
fmt: $(TOOLS)/gofumpt ## Format the tree
	$(TOOLS)/gofumpt -w cmd internal plugins bloblang tests

.PHONY: bench
bench: build ## Measure the gate against its baselines and write docs/performance.md
	$(GO) run ./tests/bench $(BENCHFLAGS)

.PHONY: faults
faults: ## Kill everything while events flow and count what arrives (SHARD=i/n plays a part of the long programme)
	$(GO) run ./tests/faults $(if $(SHARD),-shard $(SHARD)) -out $(or $(REPORT),faults.json)

.PHONY: soak
soak: ## Hold 2,000 slow connections against the webhook door for two minutes; honest deliveries must not notice
	EBBGATE_SOAK=1 $(GO) test -count=1 -v -timeout 14m -run '^TestSlowConnectionsKeepNobodyOut$$' ./tests/door

.PHONY: mutants
mutants: ## Break the program in one place at a time and hold that a named test fails
	$(GO) run ./tests/mutants

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (default 30s) each
	./tests/fuzz.sh $(or $(FUZZTIME),30s)

.PHONY: golden
golden: ## Rewrite golden files after an intended change
	$(GO) test ./internal/... ./plugins/... -update

.PHONY: clean
clean: ## Remove what was built and the sandbox's data
	rm -rf bin .ebbgate

# Debian's package holds both; nothing of it is installed. Tests skip loudly without them where EBBGATE_REQUIRE_ENGINE is not 1.
$(TOOLS)/promtool $(TOOLS)/prometheus &:
	mkdir -p $(TOOLS)
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cd "$$dir" && \
	{ { apt-get download prometheus || { apt-get update && apt-get download prometheus; }; } >log 2>&1 && \
	dpkg-deb -x prometheus_*.deb . && install -m 755 usr/bin/promtool usr/bin/prometheus $(TOOLS); } || \
	{ cat log; echo "Prometheus cannot be had: alert rules and dashboard are NOT tested"; test "$(EBBGATE_REQUIRE_ENGINE)" != 1; }

# The staging area is tested on a PostgreSQL of this machine. It is installed where that can be done; nothing of it is started.
.PHONY: postgres
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	{ mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" >>/etc/postgresql-common/createcluster.conf && \
	export DEBIAN_FRONTEND=noninteractive && { apt-get install -y --no-install-recommends postgresql || \
	{ apt-get update && apt-get install -y --no-install-recommends postgresql; }; }; } || \
	{ echo "PostgreSQL cannot be installed here: the staging area is NOT tested, and the demo leaves it out"; test "$(EBBGATE_REQUIRE_ENGINE)" != 1; }

# SDKs of browsers are tested in a real one: 25 packages, 124 MB to fetch.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || \
	{ export DEBIAN_FRONTEND=noninteractive && { apt-get install -y --no-install-recommends chromium || \
	{ apt-get update && apt-get install -y --no-install-recommends chromium; }; } || \
	{ echo "Chromium cannot be installed here: SDKs of browsers are NOT tested"; test "$(EBBGATE_REQUIRE_ENGINE)" != 1; }; }

$(TOOLS)/staticcheck:
	GOBIN=$(TOOLS) $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

$(TOOLS)/gofumpt:
	GOBIN=$(TOOLS) $(GO) install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
