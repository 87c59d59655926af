#!/bin/sh
# Sets up .venv from a locked list of packages: `sh scripts/set_up.sh report|test|lab|cluster`.
# Does nothing if the list is already installed. After an interrupted run it starts over, because packages may be
# incomplete. uv installs the packages if it is on PATH, and pip otherwise.
set -eu
cd "$(dirname "$0")/.."
list=$1
lock="requirements/$list.txt"
python=${PYTHON:-python3}
here=$(pwd)
log=.venv/set-up.log
# The inputs and the folder of the environment. A moved folder needs a new environment.
state=$({ echo "$here"; cat "$lock" pyproject.toml; } | cksum)
stamp=".venv/set-up-$list"

# Runs one step with one line of progress. Everything that it prints is in the log.
step() {
    echo "$1 …"
    shift
    if ! "$@" >>"$log" 2>&1; then
        echo "Setup failed. The end of $log:" >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
}

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

: >.venv/unfinished
: >"$log"
if command -v uv >/dev/null 2>&1; then
    installer=uv
    set -- uv pip install --python .venv/bin/python
else
    installer=pip
    set -- .venv/bin/python -m pip install --disable-pip-version-check --no-compile --progress-bar off
fi
step "Installing the locked packages of $lock with $installer" "$@" --require-hashes --requirement "$lock"
step "Installing viputils" "$@" --no-deps --no-build-isolation --editable .
# Compiles what a report imports, so that the first one starts as fast as the others, and scans the fonts once.
step "Preparing the first report" env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c \
    'import viputils.report.preload, viputils.cli.main, matplotlib.font_manager'
printf '%s' "$state" >"$stamp"
rm .venv/unfinished
