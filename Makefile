# Everything a person does with this repository. `make` lists it. Works as root and as a plain
# user; CARGO_TARGET_DIR is respected.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
# One thing at a time: cargo and npm use all cores themselves.
.NOTPARALLEL:

# A Node.js that `make deps` fetched because the system's is too old, and cargo's own programs.
export PATH := $(CURDIR)/.cache/node/bin:$(PATH):$(HOME)/.cargo/bin
# Linters that like to report to their makers.
export DO_NOT_TRACK := 1

# Where cargo puts the binary, whatever decides that.
BINARY = $$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/debug/freehold
CONSOLE_SOURCES := $(shell find console/src console/public console/index.html console/*.json console/*.ts console/*.cjs -type f 2>/dev/null | sed 's/ /\\ /g')

.PHONY: help
help: ## Lists these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: deps-all console/node_modules/.package-lock.json openapi/node_modules/.package-lock.json tests/peers/node_modules/.package-lock.json ## Installs what is missing for building and testing (apt as root or with sudo; else says what).

.PHONY: deps-all
deps-all:
	@.ci/deps all

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-fund --no-audit
	@touch $@

.PHONY: console
console: console/dist/index.html ## Builds the web console that the server embeds.

console/dist/index.html: console/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	npm --prefix console run build
	@touch $@

.PHONY: serve
serve: ## Starts everything on this machine (development profile, embedded PostgreSQL) and prints where.
	@.ci/deps serve || true
	@if command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory console || echo "The console could not be built (see above); the server starts without it." >&2; \
	else \
		echo "Node.js and npm are missing, so the server starts without its web console. Install Node.js 20.19 or newer and run make serve again." >&2; \
	fi
	cargo build --bin freehold
	@export FREEHOLD_PROFILE="$${FREEHOLD_PROFILE:-development}"; exec "$(BINARY)" serve

.PHONY: test
test: deps console ## Runs all tests: Rust, then the console's end-to-end tests on a real server.
	rm -rf target/test-logs
	FREEHOLD_TEST_LOGS="$(CURDIR)/target/test-logs" cargo test --workspace
	.ci/logs-are-clean target/test-logs
	cargo build --bin freehold
	tests/e2e.sh "$(BINARY)"

.PHONY: bench
bench: deps-bench console ## Measures speed and size beside their limits, and writes a table of ratios (most of an hour, the first time with a long build).
	cargo bench --bench decision
	cargo bench --bench load

.PHONY: bench-quick
bench-quick: deps-bench console ## The same in a tenth of the time, for a first look.
	cargo bench --bench decision -- --quick
	cargo bench --bench load -- quick

.PHONY: deps-bench
deps-bench:
	@.ci/deps bench

.PHONY: soak
soak: deps ## The long runs of the tests: fifty killed leaders, a key changed under a million people, a hundred thousand imported, ten thousand writes among kills, twenty thousand tries to rise.
	FREEHOLD_TEST_KILLS=50 cargo test --test it jobs::kill -- --nocapture
	FREEHOLD_TEST_PEOPLE=1000000 cargo test --release --test it vault::rotation::a_rotation_survives -- --nocapture
	FREEHOLD_TEST_LINES=100000 cargo test --test it imports::kill -- --nocapture
	FREEHOLD_TEST_WRITES=10000 cargo test --test it crash::writes -- --nocapture
	FREEHOLD_TEST_STEPS=20000 cargo test --release --test it custom_roles::collusion -- --nocapture

.PHONY: fuzz
fuzz: ## Throws bytes at what takes sealed values apart, for a minute (FUZZ_SECONDS=… for longer).
	@.ci/deps fuzz
	cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none sealed -- -max_total_time=$${FUZZ_SECONDS:-60} -print_final_stats=1

.PHONY: lint
lint: deps console ## Checks format, code, dependencies, contract, console, file sizes, requirement names.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny --log-level error check --hide-inclusion-graph bans licenses sources
	cargo run --quiet --bin freehold -- openapi | diff -u --label openapi/openapi.json --label 'the code' openapi/openapi.json - \
		|| { echo "openapi/openapi.json is not what the code says: run make openapi" >&2; exit 1; }
	npm --prefix openapi run --silent lint
	npm --prefix console run --silent lint
	.ci/file-lengths
	.ci/requirements --check

.PHONY: advisories
advisories: deps-all ## Checks dependencies for known vulnerabilities (needs the network).
	cargo deny check advisories

.PHONY: openapi
openapi: console/node_modules/.package-lock.json ## Writes openapi/openapi.json from the code, and the console's types from that.
	cargo run --quiet --bin freehold -- openapi >openapi/openapi.json.new
	mv openapi/openapi.json.new openapi/openapi.json
	npm --prefix console run generate

.PHONY: requirements
requirements: ## Prints each requirement with the tests that prove it.
	@.ci/requirements
