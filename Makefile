# make demo   the article's hunts over a real log, in a minute
# make test   the whole suite, on two processes (WORKERS=4: on four)
# make lint   format, lint, types
# make conformance   docs/conformance.md: every engine's answers, side by side
# make live   a real API server's events on every way, and an attack that people hear of
# make judge  the hunt library against public test cases and recorded attacks

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test test-tools lint judge live conformance format generated pictures bench clean

# With cargo the native core is built as well; without it k8sidx runs in Python alone.
CORE = hatch_build.py core/Cargo.toml core/Cargo.lock $(wildcard core/src/*.rs)

$(BIN)/k8sidx: pyproject.toml $(CORE)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml $(CORE) | $(BIN)/k8sidx
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(BIN)/k8sidx
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh demo/demo.sh

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses $(WORKERS)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if command -v cargo >/dev/null 2>&1; then cd core && cargo fmt --check && \
		cargo clippy --locked --quiet --all-targets -- --deny warnings && \
		cargo test --locked --quiet --no-default-features; \
	else echo "cargo is not there: the native core is not checked"; fi

# Real events with verdicts lie beside the checkout on some machines; without them it says so.
judge: $(VENV)/.dev
	$(BIN)/python -m tests.judge

# A real kube-apiserver and etcd, built from their Go modules once; without Go it says so.
live: $(VENV)/.dev
	$(BIN)/python -m tests.live

# On the servers that the tests use; see CONTRIBUTING.md.
conformance: $(VENV)/.dev
	$(BIN)/python -m pytest tests/conformance --conformance-report docs/conformance.md

# Commands that some tests use, built from their Go modules, which takes minutes: once.
test-tools: $(VENV)/.dev
	$(BIN)/python -m tests.servers.emulators

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Pages that are made from the code; a test fails when one is stale.
generated: $(VENV)/.dev
	$(BIN)/python -m docs.generate.fields > docs/fields.md
	$(BIN)/python -m docs.generate.query_language docs/query.md
	$(BIN)/python -m docs.generate.hunts
	$(BIN)/python -m docs.generate.lists
	$(BIN)/python -m docs.generate.translations
	$(BIN)/python -m docs.generate.saved_queries
	$(BIN)/python -m docs.generate.cli docs/cli.md
	$(BIN)/python -m docs.generate.man docs/k8sidx.1
	$(BIN)/python -m docs.generate.completion k8sidx/cli/cli.json
	$(BIN)/python -m docs.generate.metrics docs/metrics.md
	$(BIN)/python -m docs.generate.template_files mappings
	$(BIN)/python -m docs.generate.mapping > docs/mapping.md
	$(BIN)/python -m docs.generate.dashboards docs/dashboards.md
	$(BIN)/python -m k8sidx.show.savedobjects.export dashboards
	$(BIN)/python -m tests.cli.sessions

# Pictures of the demo's report; needs Chromium and its chromedriver.
pictures: $(VENV)/.dev
	$(BIN)/python docs/make_pictures.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/measure.py
	$(BIN)/python benchmarks/decode_envelopes.py
	$(BIN)/python benchmarks/follow.py
	$(BIN)/python benchmarks/serve.py
	$(BIN)/python benchmarks/watch.py
	$(BIN)/python benchmarks/baseline.py

clean:
	rm -rf $(VENV) demo/store demo/report.html benchmarks/work
