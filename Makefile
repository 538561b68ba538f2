# The two commands, two that install, and nine for those who work on libitem. Everything is in meson
# and tools/.
.PHONY: demo check install deb bench bench-models parity experiments robustness coverage docs format clean

demo:
	@tools/demo.sh

check:
	@tools/install-deps.sh check
	@tools/check.py

# PREFIX=FOLDER
install:
	@tools/install.sh $(PREFIX)

# Debian's packages, in build/deb
deb:
	@tools/deb.sh

bench:
	@tools/bench.sh

bench-models:
	@tools/bench.sh models

parity:
	@tools/parity.sh

# ONLY=NAME, PACK=FOLDER, DATA=FOLDER, OPEN_DEV=WHY
experiments:
	@tools/experiments.sh experiments

robustness:
	@tools/experiments.sh robustness

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
