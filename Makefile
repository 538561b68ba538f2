# The two commands, and five for those who work on libitem. Everything is in meson and tools/.
.PHONY: demo check bench coverage docs format clean

demo:
	@tools/demo.sh

check:
	@tools/install-deps.sh check
	@tools/check.py

bench:
	@tools/bench.sh

coverage:
	@tools/install-deps.sh coverage
	@tools/coverage.py

docs:
	@tools/install-deps.sh docs
	@tools/reference.py

format:
	@tools/format.py

clean:
	rm -rf build
