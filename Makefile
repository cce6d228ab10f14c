# The commands of this repository. Each stands on tools/install and the CMake presets and can be typed by hand as well.

RUN_COMMAND = build/release/apps/onceward/onceward demo --keep-running

JOBS := $(shell nproc 2>/dev/null || echo 2)
CXX_FILES = $(shell find include src apps integrations tests bench examples -name '*.h' -o -name '*.cc' 2>/dev/null)
LLVM = 19

# $(call build,preset): configures and builds, quietly unless something is wrong; on a terminal ninja shows its progress line.
define build
@mkdir -p build
@cmake --preset $(1) >build/$(1).configure.log 2>&1 || { cat build/$(1).configure.log; exit 1; }
@echo "building build/$(1)"
@cmake --build --preset $(1) -j $(JOBS) -- $$([ -t 1 ] || echo --quiet)
endef

.PHONY: help run test release prove bench format tidy

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

run:  ## Builds onceward and starts it in front of a demo API, with a transcript to follow
	@tools/install build
	$(call build,release)
	@$(RUN_COMMAND)

test:  ## Builds and runs every test: what has threads with TSan, then all with ASan and UBSan
	@tools/install test
	$(call build,dev)
	$(call build,tsan)
	@ctest --preset tsan -j $(JOBS)
	@ctest --preset dev -j $(JOBS); status=$$?; tools/prove --totals build/dev; exit $$status

prove:  ## Runs the long form of every check; PROVE='--effort 0.01' or PROVE='model liveness' for less
	@tools/install test
	@tools/prove $(PROVE)

# What ships is built twice: docs/decisions/0018.
define train
$(call build,training)
@tools/train build/training
endef

release:  ## Builds onceward as it ships, in build/trained: twice, and trained under load in between
	@tools/install bench
	$(train)
	$(call build,trained)

bench:  ## Builds without sanitizers and measures against the peers on this machine
	@tools/install bench
	$(train)
	$(call build,bench)
	@bench/run build/bench

format:  ## Formats every C++ file
	@tools/install test
	@clang-format-$(LLVM) -i $(CXX_FILES)

tidy:  ## Looks for bugs with clang-tidy
	@tools/install test
	@cmake --preset dev-clang >/dev/null
	@run-clang-tidy-$(LLVM) -quiet -j $(JOBS) -p build/dev-clang '^$(CURDIR)/(src|apps|integrations)/(?!.*_test\.cc)'
