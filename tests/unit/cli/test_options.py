"""Options parse what users type, and every help text ends with an example."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from tests.support.command import vip
from viputils.cli.main import app

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "2023-13"], "month: '2023-13' is not a month; write YYYY-MM"),
        (["backfill", "2023-10", "Nov"], "month: 'Nov' is not a month"),
        (["preview", "--since", "2023"], "month: '2023' is not a month"),
        (["changes", "a", "b", "--month", "2023-11", "--month", "x"], "month: 'x' is not a month"),
        (["verify", "--as-of", "1/2/2023"], "--as-of: '1/2/2023' is not a date; write YYYY-MM-DD"),
        (["revisions", "2023-11", "--from", "2999-01-01"], "--from: 2999-01-01 has not come yet"),
        (["trace", "2023-11", "responses/month", "--diff", "2023-11-01", "x"], "--diff: 'x' is not a date"),
        (["publish", "2023-11", "--printed", "2999-01-01"], "--printed: 2999-01-01 has not come yet"),
        (["intake", "file.csv", "--received", "today"], "--received: 'today' is not a date"),
        (["site", "--address", "example.org"], "--address: 'example.org' must be a web address"),
        (["status", "--csv", "--json"], "--json, --csv: were given together."),
        (["changes", "a", "b", "--markdown", "--csv"], "Choose one output format: --csv or --markdown."),
    ],
)
def test_an_option_that_cannot_be_read_is_named(arguments: list[str], said: str) -> None:
    done = vip(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Usage" not in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example_of_it(name: str) -> None:
    done = vip(name, "--help")
    assert done.returncode == 0
    example = done.stdout.rstrip().splitlines()[-1].strip()
    assert example.startswith(f"Example: vip {name}")
    assert "{" not in done.stdout.splitlines()[0]
    for option in (word for word in example.split() if word.startswith("--")):
        assert option in done.stdout


def test_help_is_shown_without_importing_pandas() -> None:
    program = "import sys\nfrom viputils.cli.main import app\ntry:\n    app(['report', '--help'])\nfinally:\n"
    program += "    assert 'pandas' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
