# make demo and make test set up what they need; every other target expects a machine that has been set up.
SWIFT ?= swift
RELEASE = -c release
PYTHON = $(CURDIR)/.venv/bin/python
export ATTUNE_PYTHON = $(PYTHON)

.PHONY: help setup setup-python build demo test test-long interop bench bench-quick bench-storage lint format clean

help:            ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

setup:           ## Install the system libraries where they are missing
	@Scripts/setup.sh system

setup-python:    ## The readers that tests compare with, in .venv
	@Scripts/setup.sh python
	@Scripts/setup.sh sharing

build: setup     ## The attune command, in .build/release
	$(SWIFT) build $(RELEASE) --product attune

demo: build      ## The whole of MI-TUNE on the bundled model, in demo/
	Scripts/demo.sh

test: setup setup-python ## Build and run every test
	$(SWIFT) build $(RELEASE) --build-tests
	$(SWIFT) test $(RELEASE) --skip-build

test-long: test  ## Crash tests at every point, 200 random kills, 120,000 mutations; CONTRIBUTING says how long
	ATTUNE_LONG=1 ATTUNE_MUTATIONS=120000 $(SWIFT) test $(RELEASE) --skip-build --filter 'Crash|Fault|Together|Hostile'

interop:         ## Adapters, images and shards in the programs they are for; needs PEER_PYTHON, too heavy for CI
	$${PEER_PYTHON:?name a Python that has torch, diffusers, transformers and peft} Tests/Interop/adapter_interop.py
	$${PEER_PYTHON} Tests/Interop/image_interop.py

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

lint:            ## swift-format, strictly
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format:          ## Let swift-format rewrite the sources
	$(SWIFT) format format --in-place --recursive Package.swift Sources Tests

clean:           ## Remove what was built
	rm -rf .build .venv
