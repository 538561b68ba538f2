# The two commands, and six for those who work on libitem. Everything is in meson and tools/.
.PHONY: demo check bench parity coverage docs format clean

demo:
	@tools/demo.sh

check:
	@tools/install-deps.sh check
	@tools/check.py

bench:
	@tools/bench.sh

parity:
	@tools/parity.sh

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
