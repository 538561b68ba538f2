# The two commands, and three for those who work on libitem. Everything is in meson and tools/.
.PHONY: demo check bench format clean

demo:
	@tools/demo.sh

check:
	@tools/install-deps.sh check
	@tools/check.py

bench:
	@tools/bench.sh

format:
	@tools/format.py

clean:
	rm -rf build
