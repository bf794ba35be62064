# The two commands of the README; each installs all that it needs.
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# What environments/systems/debian12.yaml says that a machine has.
PROOF := g++ gfortran libopenmpi-dev openmpi-bin autoconf automake libtool m4 make cmake pkgconf gettext patch python3-dev

# Where the tests train: Slurm on nodes of their own, and HDF5 on Open MPI.
TRAINING := slurm-wlm munge mpich iproute2 libhdf5-openmpi-dev

# Images, what runs them, and what counts the files that they open; the registry is for the tests, on this machine alone.
CONTAINERS := charliecloud docker-registry skopeo squashfs-tools strace

# What reads the catalog's pages: a browser, and a validator of HTML.
PAGES := chromium tidy

.PHONY: quickstart test lint docs clean

quickstart: .venv/.ready
	@scripts/debian-packages bubblewrap lmod
	@stackgen build environments/quickstart.yaml

test: .venv/.ready-for-tests
	@scripts/debian-packages bubblewrap gnupg lmod procps ruby zsh tcsh fish
	@scripts/debian-packages $(PROOF) $(TRAINING) $(CONTAINERS) $(PAGES)
	@python -m pytest -n 2 --max-worker-restart 0

lint: .venv/.ready-for-tests
	@ruff format --check
	@ruff check
	@mypy
	@lint-imports

docs: .venv/.ready-for-tests
	@sphinx-build -E -W --keep-going -q docs build/docs
	@echo build/docs/index.html

.venv/.ready: pyproject.toml
	@scripts/debian-packages python3 python3-venv
	@scripts/virtual-environment .venv
	@touch $@

.venv/.ready-for-tests: .venv/.ready
	@scripts/virtual-environment .venv --group dev
	@touch $@

clean:
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
