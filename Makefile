# SPDX-License-Identifier: Apache-2.0
# Everything that a developer or CI does, by name. The work is in scripts/ and boards/cross/.

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-camera bench lint format embedded clean

# The Swift runtime inside the program: three MiB less of resident memory than shared libraries.
SWIFT_BUILD := swift build --configuration release --static-swift-stdlib
MODEL := models/ommatidium

help:  ## Print these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | \
		while read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

setup:  ## Install the Debian packages that are missing, check the Swift toolchain
	@scripts/setup

build: setup  ## Build the programs and the library, hosted, in .build/release
	$(SWIFT_BUILD)

demo:  ## Ask questions about real photographs and a street clip
	@scripts/demo

test:  ## Everything that CI checks: lint, both builds, all tests, examples
	@scripts/test

test-camera:  ## Capture against the kernel's camera drivers, in qemu: all builds, all faults
	@scripts/test-camera

bench: build  ## Print tokens per second and milliseconds per frame of this machine
	.build/release/ocellus bench --model $(MODEL) --prefill 512 --decode 64 --threads 1

lint: setup  ## Check formatting, imports, C warnings and scripts
	@scripts/lint

format:  ## Format all Swift files in place
	swift format --in-place --recursive Package.swift Sources Tests examples

embedded: setup  ## Build ocellus as Embedded Swift for x86_64 and aarch64
	boards/cross/build-embedded x86_64
	boards/cross/build-embedded aarch64

clean:  ## Remove everything that was built or downloaded
	rm -rf .build .build-* .swift-sdks .cache
