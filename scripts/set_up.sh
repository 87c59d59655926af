#!/bin/sh
# Sets up .venv from a locked list of packages: `sh scripts/set_up.sh report|test|lab`.
# Does nothing if the list is already installed. After an interrupted run it starts over, because packages may be
# incomplete.
set -eu
cd "$(dirname "$0")/.."
list=$1
lock="requirements/$list.txt"
python=${PYTHON:-python3}
here=$(pwd)
# The inputs and the folder of the environment. A moved folder needs a new environment.
state=$({ echo "$here"; cat "$lock" pyproject.toml; } | cksum)
stamp=".venv/set-up-$list"

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ] && [ ! -f .venv/unfinished ]; then
    exit 0
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed; '$python' is $("$python" --version 2>&1 || echo missing)." >&2
    echo "Choose another Python: make PYTHON=/path/to/python3.12 …" >&2
    exit 1
fi

home=$(cat .venv/made-in 2>/dev/null || true)
if [ -f .venv/unfinished ] || [ "$home" != "$here" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making .venv with $("$python" --version) …"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "The environment could not be made. On Debian and Ubuntu, install the package python3-venv." >&2
        exit 1
    fi
    printf '%s' "$here" >.venv/made-in
fi

echo "Installing the locked packages of $lock into .venv …"
: >.venv/unfinished
.venv/bin/python -m pip install --disable-pip-version-check --require-hashes --no-compile --progress-bar on \
    --requirement "$lock"
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
# Compile once and in parallel, so that later commands start faster.
.venv/bin/python -m compileall -qq -j 0 .venv/lib src || true
# Matplotlib scans the fonts once. Do it here, not in the first report.
.venv/bin/python -c 'import matplotlib.font_manager'
printf '%s' "$state" >"$stamp"
rm .venv/unfinished
