# Secondlook: `make run` starts the application, `make test` runs every check and test, `make help` lists the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
BUNDLE ?= skin
WORKERS ?= 2
DJANGO = DJANGO_SETTINGS_MODULE=secondlook.clinic.settings SECONDLOOK_DATA_FOLDER=$(VENV)/site $(BIN)/python -m django

.DEFAULT_GOAL := help
.PHONY: help run test check format bench figures clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp pango ## Set up (no PyTorch, about a minute) and start the application; ARGS="--port 8001"
	@$(BIN)/secondlook serve $(ARGS)

test: check browser pango ## Set up and run every check and test, browser tests too; ARGS="-k word", WORKERS=4
	@# Two processes that both compute on all cores slow each other down many times over.
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/develop.stamp ## Format, lint, types, layers, Django's own checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(DJANGO) check --fail-level WARNING
	SECONDLOOK_MODE=production SECONDLOOK_ALLOWED_HOSTS=secondlook.example SECONDLOOK_EMAIL_URL=console: \
	  SECONDLOOK_FILES_KEY=$$($(BIN)/python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())') \
	  SECONDLOOK_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  $(DJANGO) check --deploy --fail-level WARNING

format: $(VENV)/develop.stamp ## Mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/develop.stamp ## Speed against plain alternatives; BUNDLE=folder, ARGS="--seconds 5"
	@$(BIN)/python -m benchmarks --bundle $(BUNDLE) $(ARGS)

figures: $(VENV)/run.stamp ## Write the measured figures into README.md
	$(BIN)/python -m scripts.write_figures

clean: ## Remove the virtual environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: browser
browser:
	@test -n "$$SECONDLOOK_NO_BROWSER" || command -v "$${SECONDLOOK_CHROMIUM:-chromium}" >/dev/null || scripts/need_package.sh "chromium fonts-liberation" "the browser tests"

# Reports are written by WeasyPrint, which needs Pango. The application runs without it, and says so where it is missed.
.PHONY: pango
pango:
	@$(PYTHON) -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("pango-1.0"))' || \
	  scripts/need_package.sh "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" "reports as PDF" || true

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Secondlook needs Python 3.11 or newer, and '$(PYTHON)' is older. Name another one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/need_package.sh \
	  "$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" "a virtual environment"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml | $(BIN)/pip
	@echo "Installing Secondlook into $(VENV) (about a minute, once)."
	@# Python compiles what it uses; compiling all of it here would cost 100 MB.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable .
	@touch $@

$(VENV)/develop.stamp: pyproject.toml | $(BIN)/pip
	@echo "Installing Secondlook with PyTorch and the development tools into $(VENV) (2 to 4 minutes and 6 GB, once)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train,heic,report,dev]'
	@$(BIN)/python -c 'import torchvision' || { \
	  echo "torch and torchvision do not match: install both from one index, then try again." >&2; exit 1; }
	@touch $(VENV)/run.stamp $@
