# `make help` lists what there is. Everything works from a fresh clone on Debian 12 with a Swift 6.3 toolchain,
# as root or as a user with sudo.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run stop test test-tsan test-images images kill-storm bench bench-assets bench-contents bench-search bench-media bench-models bench-compliance format lint clean

BOOTSTRAP := deploy/local/bootstrap
FORMATTED := Package.swift Services Shared Tests

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install, build, start everything, show one title generation, stay up until Ctrl-C
	@$(BOOTSTRAP) && exec python3 deploy/local/stack.py run

stop: ## end a stack that `make run` left behind
	@exec python3 deploy/local/stack.py stop

test: ## every check and test there is; STEPS="format swift" for some (deploy/local/test.py --list)
	@$(BOOTSTRAP) --test && exec python3 deploy/local/test.py $(foreach step,$(STEPS),--only $(step)) -- $(ARGS)

test-tsan: ## the shared modules under the thread sanitiser, 100 loops of each stress test
	@$(BOOTSTRAP) --test && exec python3 deploy/local/test.py --only tsan

kill-storm: ## the long kill storm: every process killed 20 times and more (KILLS=20 SEED=…)
	@$(BOOTSTRAP) --test && exec python3 deploy/local/test.py --only build --only kill-storm

bench: ## the measurements, on release builds
	@$(BOOTSTRAP) --test --bench && python3 Tests/Benchmarks/bench.py && python3 Tests/Benchmarks/assets_bench.py \
		&& python3 Tests/Benchmarks/contents_bench.py \
		&& python3 Tests/Benchmarks/search_bench.py \
		&& python3 Tests/Benchmarks/media_bench.py \
		&& exec python3 Tests/Benchmarks/models_bench.py

bench-assets: ## signed downloads against nginx, and memory while 1 GB passes
	@$(BOOTSTRAP) --test --bench && exec python3 Tests/Benchmarks/assets_bench.py

bench-contents: ## drafts written, against single rows inserted by pgbench
	@$(BOOTSTRAP) --test --bench && exec python3 Tests/Benchmarks/contents_bench.py

bench-search: ## searches per second over 100,000 contents and over a million
	@$(BOOTSTRAP) --test --bench && exec python3 Tests/Benchmarks/search_bench.py

bench-media: ## a media job against FFmpeg alone
	@$(BOOTSTRAP) --test --bench && exec python3 Tests/Benchmarks/media_bench.py

bench-models: ## model calls through us and through LiteLLM
	@$(BOOTSTRAP) --test --bench && exec python3 Tests/Benchmarks/models_bench.py

bench-compliance: ## nanoseconds per character of the search for forbidden words
	@exec python3 Tests/Benchmarks/compliance_bench.py

images: ## container images of the five services, with docker, podman or buildah
	@exec deploy/images/build

test-images: ## builds the five images without a registry and starts each until it is healthy (root)
	@$(BOOTSTRAP) --images && exec deploy/images/test

format: ## swift format, in place
	@swift format --in-place --parallel --configuration .swift-format --recursive $(FORMATTED)

lint: ## swift format, only looking, and the architecture checks
	@swift format lint --strict --parallel --configuration .swift-format --recursive $(FORMATTED)
	@deploy/checks/architecture.py

clean: ## stop, and remove builds and local data
	@python3 deploy/local/stack.py clean && rm -rf .build
