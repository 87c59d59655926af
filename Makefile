# The two commands of the README, and what developers need. Everything runs from .venv in this folder.
# MONTH=2023-10 make report: another month's issue. ROWS=10000,1000000 make bench: fewer rows.

MONTH ?= 2023-11
UV ?= uv
BASE ?= HEAD~1
# Paths stay relative to this folder, so that a blank in its own path never matters.
BIN := .venv/bin

.PHONY: help report test test-rest test-all lint format changes bench words catalogue record lab simulate cluster licenses release lock clean

help:
	@echo "make report            set up what is missing and make the November 2023 issue (MONTH=2023-10 for another)"
	@echo "make test              set up what is missing and run the tests, all but the slow ones (FILE=tests/unit/core/test_spreadsheet.py for a part)"
	@echo "make test-all          run these, and then the slow ones (make test-rest for the slow ones alone)"
	@echo "make lint              ruff, mypy and the directions of imports"
	@echo "make changes           printed figures that HEAD moves (BASE=origin/main for another commit than HEAD~1)"
	@echo "make bench             measure, and print ratios (ROWS=10000,1000000 for fewer rows)"
	@echo "make simulate          measure how often the report's statements are wrong, and how soon it names a change"
	@echo "make words             measure how easy the texts are to read, and list the hardest sentences"
	@echo "make record            make November 2023 again, and keep how it was made"
	@echo "make catalogue         bring the catalogues of translations up to date, and say what waits for one"
	@echo "make lab               open the notebooks in JupyterLab"
	@echo "make cluster           set up what a Dask cluster needs, on each of its machines"
	@echo "make licenses          list the license of each installed package"
	@echo "make release           check, and build the release of HEAD into dist (SKIP_TESTS=1 without the tests)"
	@echo "make lock              resolve the locked versions again (needs uv)"

report:
	@sh scripts/set_up.sh report
	@$(BIN)/vip report "$(MONTH)"

# One process more than cores: many tests wait for a browser, a server or a process.
PYTEST = $(BIN)/python -m pytest --numprocesses $$(( $$(nproc 2>/dev/null || echo 2) + 1 )) --dist worksteal $(OPTIONS)

# A file, a folder or a test that is named runs whole, with its slow tests.
test:
	@sh scripts/set_up.sh test
	@$(PYTEST) $(if $(FILE),"$(FILE)",-m "not slow")

# What is slow by nature, and every law with more examples.
test-rest:
	@sh scripts/set_up.sh test
	@$(PYTEST) -m "slow or hypothesis" --hypothesis-profile thorough $(if $(FILE),"$(FILE)")

test-all:
	@$(MAKE) --no-print-directory test FILE=
	@$(MAKE) --no-print-directory test-rest FILE=

lint:
	@sh scripts/set_up.sh test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb

format:
	@sh scripts/set_up.sh test
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Fails where a printed figure moved that no message names. What an old commit cannot compute is said, and is no failure.
changes:
	@sh scripts/set_up.sh test
	@if ! git rev-parse --quiet --verify "$(BASE)^{commit}" >/dev/null 2>&1; then \
		echo "No figures were compared: there is no commit $(BASE) here."; \
		exit 0; \
	fi; \
	code=0; \
	$(BIN)/vip changes "$(BASE)" HEAD || code=$$?; \
	if [ $$code -eq 2 ]; then \
		echo "NOT EVERYTHING COULD BE COMPARED with $(BASE); what could be compared has not changed."; \
		exit 0; \
	fi; \
	exit $$code

bench:
	@sh scripts/set_up.sh test
	@$(BIN)/python scripts/bench.py $(ROWS)
	@$(BIN)/python scripts/bench_engine.py
	@$(BIN)/python scripts/bench_backfill.py

simulate:
	@sh scripts/set_up.sh test
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python scripts/simulate.py

words:
	@sh scripts/set_up.sh test
	@$(BIN)/python scripts/words.py

# After a change of what the pages look like: keep how November 2023 is made now.
record:
	@sh scripts/set_up.sh report
	@$(BIN)/vip report 2023-11 --engine embedded
	@$(BIN)/vip publish 2023-11 --reproduction

# After a change of words in English: new messages come in empty, and are to be translated.
catalogue:
	@sh scripts/set_up.sh report
	@$(BIN)/python scripts/update_catalogues.py

lab:
	@sh scripts/set_up.sh lab
	@$(BIN)/vip lab

cluster:
	@sh scripts/set_up.sh cluster

licenses:
	@sh scripts/set_up.sh report
	@$(BIN)/python scripts/list_licenses.py

# TAG=v1.0.0 also checks that the tag is that of the version, and SINCE=COMMIT names the release before.
release:
	@$(MAKE) --no-print-directory lint
	@[ "$(SKIP_TESTS)" = 1 ] || $(MAKE) --no-print-directory test-all
	@$(BIN)/python scripts/release.py $(if $(SINCE),--since "$(SINCE)") $(if $(TAG),--tag "$(TAG)")

# One resolution for every Python and system, with hashes and without the address of an index.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock" pyproject.toml
lock:
	$(LOCK) --extra build --output-file requirements/report.txt
	$(LOCK) --extra build --extra test --constraint requirements/report.txt --output-file requirements/test.txt
	$(LOCK) --extra build --extra lab --constraint requirements/report.txt --output-file requirements/lab.txt
	$(LOCK) --extra build --extra cluster --constraint requirements/test.txt --output-file requirements/cluster.txt

clean:
	rm -rf .venv dist issues .quarto .pytest_cache .mypy_cache .ruff_cache .hypothesis
