# make demo and make test set up what they need; every other target expects a machine that has been set up.
SWIFT ?= swift
RELEASE = -c release
PYTHON = $(CURDIR)/.venv/bin/python
export ATTUNE_PYTHON = $(PYTHON)
# Where a test ends its process, its stack is what is read last.
export SWIFT_BACKTRACE ?= threads=crashed,registers=none,images=none
ENGINE_TESTS = ^(TensorsTests|DiffusionTests|TuningTests)\.

.PHONY: help setup setup-python setup-browser build gallery demo test test-long test-cluster test-cluster-quick \
	test-levels test-threads interop bench bench-quick bench-storage bench-gallery screenshots study study-quick \
	test-study docs install dist test-dist lint format clean

help:            ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

setup:           ## Install the system libraries where they are missing
	@Scripts/setup.sh system

setup-python:    ## The readers that tests compare with, in .venv
	@Scripts/setup.sh python
	@Scripts/setup.sh sharing

setup-browser:   ## The browser that tests of the gallery drive
	@Scripts/setup.sh browser

gallery: build   ## The gallery that `attune serve` starts, beside the attune command
	$(SWIFT) build $(RELEASE) --product attune-gallery

build: setup     ## The attune command, in .build/release
	@echo "building the attune command alone, in .build/release: some minutes the first time"
	$(SWIFT) build $(RELEASE) --product attune

demo: build      ## The whole of MI-TUNE on the bundled model, in demo/
	Scripts/demo.sh

test: setup setup-python setup-browser ## Build and run every test
	$(SWIFT) build $(RELEASE) --build-tests
	$(SWIFT) test $(RELEASE) --skip-build
	$(PYTHON) -m pytest -q -p no:cacheprovider --ignore=Tests/Interop/python/torch Tests/Interop/python
	$(PYTHON) -m pytest -q -p no:cacheprovider Tests/Browser
	cd python && $(PYTHON) -m mypy

test-long: test  ## Crash tests at every point, 200 random kills, 120,000 mutations, vector levels, threads; CONTRIBUTING says how long
	ATTUNE_LONG=1 ATTUNE_MUTATIONS=120000 $(SWIFT) test $(RELEASE) --skip-build --filter 'Crash|Fault|Together|Hostile|Streaming'
	$(MAKE) test-levels test-threads

# What processors without AVX-512 and without AVX2 run, the BLAS included.
test-levels:     ## The tests of the engine once more at each lower vector level
	ATTUNE_VECTOR_LEVEL=x86-64-v3 OPENBLAS_CORETYPE=Haswell $(SWIFT) test $(RELEASE) --skip-build --filter '$(ENGINE_TESTS)'
	ATTUNE_VECTOR_LEVEL=default OPENBLAS_CORETYPE=Core2 $(SWIFT) test $(RELEASE) --skip-build --filter '$(ENGINE_TESTS)'

test-threads:    ## The parallel code under the thread sanitizer
	Scripts/thread-sanitizer.sh 30

interop:         ## Adapters, images and shards in the programs they are for; needs PEER_PYTHON, too heavy for CI
	$${PEER_PYTHON:?name a Python that has torch, diffusers, transformers and peft} Tests/Interop/adapter_interop.py
	$${PEER_PYTHON} Tests/Interop/image_interop.py
	$${PEER_PYTHON} Tests/Interop/tensorboard_interop.py
	Tests/Interop/torch_ops.sh
	$$PEER_PYTHON -m pytest -q -p no:cacheprovider Tests/Interop/python

test-cluster: build ## A real Slurm, Open MPI, Kubernetes' schemas, NFS between hosts, the container; as root; about ten minutes
	@Scripts/setup.sh cluster
	Tests/Cluster/all.sh .build/release/attune

test-cluster-quick: build ## The same without NFS and the container: what CI runs
	@Scripts/setup.sh cluster-quick
	Tests/Cluster/all.sh .build/release/attune mpi slurm kubernetes

bench: build     ## The engine, the store and verify beside their peers (QUICK=1: the engine, a few minutes); see Benchmarks/README.md
	$(SWIFT) build $(RELEASE) --product attune-bench
	Benchmarks/engine.sh $(if $(QUICK),--quick)
	$(if $(QUICK),,Benchmarks/storage.sh)
	$(if $(QUICK),,Benchmarks/verify.sh)

bench-quick:     ## The same in a few minutes: SD-2.1 and tiny-sd, one run each
	@$(MAKE) bench QUICK=1

bench-storage: build ## The store beside h5py, WebDataset, MosaicML Streaming and Lance, verify, and ten million samples
	Benchmarks/storage.sh
	Benchmarks/verify.sh
	Benchmarks/scale.sh

bench-gallery: gallery ## The gallery under load: first pages, tiles per second, memory
	$(SWIFT) build $(RELEASE) --product attune-bench
	Benchmarks/gallery.sh

screenshots: gallery setup-python setup-browser ## The pages that README shows, in docs/, of the corpus of make demo
	$(PYTHON) Scripts/screenshots.py

study-quick: build ## What tuning on chosen images does on the shapes benchmark: headline rows, about 16 minutes; RESULTS.md in /tmp/attune-study-quick
	Benchmarks/shapes/study.sh --quick

study: build     ## The same with every loss, adapter and selection, by two seeds: hours, resumable
	Benchmarks/shapes/study.sh

test-study: build ## Every row of the study with hardly any training: that its commands go together; a quarter of an hour
	rm -rf .build/study
	Benchmarks/shapes/study.sh --smallest .build/study

docs:            ## DocC pages of the modules, in .build-docs; needs a built tree
	Scripts/docs.sh

PREFIX ?= /usr/local
install: gallery ## Copy attune, its gallery, man pages and completions to PREFIX (default /usr/local)
	Scripts/extras.sh .build/release/attune .build/share
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share"
	install -m 755 .build/release/attune .build/release/attune-gallery "$(DESTDIR)$(PREFIX)/bin"
	cp -r .build/share/. "$(DESTDIR)$(PREFIX)/share/"

dist: setup      ## Release archives in dist/: a self-contained tar.gz and a Debian package
	@Scripts/setup.sh dist
	Scripts/dist.sh

test-dist: dist  ## Install both in a clean Debian 12 without Swift, and use them
	Tests/Release/clean_install.sh

lint:            ## swift-format, strictly, and the import rules of Package.swift
	Scripts/check-imports.sh
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format:          ## Let swift-format rewrite the sources
	$(SWIFT) format format --in-place --recursive Package.swift Sources Tests

clean:           ## Remove what was built
	rm -rf .build .venv
