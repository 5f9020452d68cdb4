# The short names of the commands; each recipe works without `just`, too.

# everything that must hold before a commit: format, lint, types, import contracts, docs, tests
check:
    scripts/check

# the tests alone, in the environment that `check` made; arguments go to pytest
test *arguments:
    .venv/bin/python -m pytest {{ arguments }}

# rewrite the sources in the house's format and mend what the linter can mend
format:
    .venv/bin/ruff format .
    .venv/bin/ruff check --fix .

# set up and read the plates of the example picture
try:
    scripts/try

# write the tables of README.md and docs/ again from results/*.csv
tables:
    .venv/bin/python -m scripts.update_tables

# what a picture costs on this machine: processor time, start, memory
speed *arguments:
    .venv/bin/python -m benchmarks.speed {{ arguments }}

# draw the example picture again
example:
    .venv/bin/python examples/draw_street.py

# resolve the dependencies again into uv.lock
lock:
    uv lock --upgrade
