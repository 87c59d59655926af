"""The engine that runs a notebook in its own process shows what Papermill's own engine shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from tests.support.command import TIMEOUT
from tests.support.projects import REPOSITORY
from viputils.report.notebook import PapermillEngine, run_notebook
from viputils.report.process import ProcessDiedError, in_own_process

ENGINES = ["nbclient", "vip"]

# What notebooks do that is awkward for who runs them.
CELLS = [
    "import sys, os, threading, subprocess, asyncio, warnings\n1 + 1",
    "print('one', flush=True); print('aside', file=sys.stderr, flush=True); print('two', flush=True)",
    "print('one'); print('then another')",
    "from IPython.display import HTML, Markdown, display\ndisplay(Markdown('**bold**'), HTML('<b>bold</b>'))",
    "shown = display('before', display_id=True)\nshown.update('after')",
    "%%time\nsum(range(1000))",
    "!echo from the shell",
    "await asyncio.sleep(0.01)\n'awaited'",
    "warnings.warn('careful')",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "figure, axes = plt.subplots()\naxes.plot([2, 1])",
    "plt.plot([3, 1]);",
    "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "said = []\nthread = threading.Thread(target=lambda: print('from a thread'))\nthread.start(); thread.join()",
    "print(subprocess.run(['echo', 'from a program'], capture_output=True, text=True).stdout)",
    "child = os.fork()\nif child == 0:\n    os._exit(7)\nos.waitstatus_to_exitcode(os.waitpid(child, 0)[1])",
    "__name__, os.path.basename(os.getcwd()), sys.path",
    "os.isatty(0), os.environ.get('MPLBACKEND'), plt.get_backend()",
    "%matplotlib --list",
    "%matplotlib inline",
    "print('x' * 3, end='', flush=True); sys.stdout.write('y')",
    "a = [1]; a.append(a); a",
    "[os.path.basename(one) for one in sys.argv[:2]], sys.executable == sys.orig_argv[0], sorted(os.environ)",
    "import __main__; __main__.__spec__, getattr(__main__, '__file__', None), '__mp_main__' in sys.modules",
    "from IPython.display import clear_output\nprint('gone'); clear_output(); print('stays')",
    "async def numbers():\n    for n in range(3):\n        yield n\n[n async for n in numbers()]",
    "import logging\nlogging.warning('by a logger')\nlogging.root.handlers, logging.root.level",
    "for _ in range(2): warnings.warn('once for each place')",
    "%%bash\necho shell; echo aside >&2",
    "%load_ext autoreload\n%autoreload 2",
    "%%writefile beside.py\nvalue = 41",
    "import beside; beside.value + 1",
    "%run beside.py\nvalue",
    "%history -l 1",
    "import multiprocessing\ndef twice(x): return 2 * x\n"
    "with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(twice, [1, 2]))",
    "with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(abs, [-1]))",
    "sorted(one.name.split('-')[0] for one in threading.enumerate())",
    "import signal\n[signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]",
    "import gc, locale\ngc.isenabled(), gc.get_threshold(), locale.getlocale(), sys.getrecursionlimit()",
    "os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid()",
    "import matplotlib\n{key: matplotlib.rcParams[key] for key in ('figure.dpi', 'savefig.bbox', 'figure.figsize')}",
    "for n in range(2):\n    plt.figure(); plt.plot([n])",
    "plt.figure(); plt.plot([1]); plt.close()",
    "import numpy as np\nnp.geterr(), np.get_printoptions()['precision'], pd.options.display.max_rows",
    "class Shown:\n    def _repr_html_(self): return '<i>html</i>'\n    def _repr_latex_(self): return '$x$'\nShown()",
    "print('\\x1b[31mred\\x1b[0m \\u00e9\\u4e2d\\U0001f600')",
    "import ipywidgets\nipywidgets.IntSlider(3)",
    "print(1, file=sys.__stdout__); os.write(1, b'to the descriptor\\n'); os.system('echo system')",
    "len?",
    "sys.stdin.read()",
]

# What these show is the process itself: a kernel is another one.
OF_THE_PROCESS = {
    cell for cell in CELLS if any(word in cell for word in ("sys.path", "environ)", "__main__", "enumerate()"))
}


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def notebook(folder: Path, cells: list[str], parameters: str = "") -> Path:
    path = folder / "a notebook.ipynb"
    first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=[first, *map(new_code_cell, cells)], metadata={"kernelspec": kernel}), path)
    return path


def run(path: Path, engine: str, **options: Any) -> Any:
    """Run a notebook in a process of its own, as an issue does."""
    return in_own_process(_run, path, engine, options, hear={})


def _run(path: Path, engine: str, options: dict[str, Any], _tell: object) -> Any:
    return papermill.execute_notebook(
        str(path), None, engine_name=engine, kernel_name="python3", cwd=str(path.parent), progress_bar=False, **options
    )


def normal(executed: Any) -> list[list[Any]]:
    """What the cells show, without what differs from run to run: times, addresses, the numbers of processes.

    A kernel sends what was printed when its clock says so, so where a text is cut in two is chance in either engine.
    """

    def whole(outputs: list[Any]) -> list[Any]:
        found: list[Any] = []
        for output in outputs:
            name = output.get("name")
            if found and name is not None and found[-1].get("name") == name:
                found[-1] = {**found[-1], "text": found[-1]["text"] + output["text"]}
            else:
                found.append(output)
        return found

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items() if key not in ("transient", "execution_count")}
        if isinstance(value, list):
            return [plain(one) for one in value]
        text = re.sub(r"0x[0-9a-f]+|ipykernel_[0-9]+/[0-9]+|[0-9.]+ (?:[nµμm]?s)\b", "…", str(value))
        # The ids of widgets, and folders.
        return re.sub(rf"(?:IPY_MODEL_|\b)[0-9a-f]{{32}}\b|{tempfile.gettempdir()}/\S+|<ipython-input-\S+", "…", text)

    return [plain(whole(cell.outputs)) for cell in executed.cells if cell.cell_type == "code"]


@pytest.mark.engines
def test_awkward_cells_show_the_same_as_in_a_kernel_that_was_started(tmp_path: Path) -> None:
    stock, fast = (normal(run(notebook(folder(tmp_path / engine / "here"), CELLS), engine)) for engine in ENGINES)
    differ = {cell: (one, other) for cell, one, other in zip(["", *CELLS], stock, fast, strict=True) if other != one}
    assert differ.keys() == OF_THE_PROCESS, differ
    assert len(OF_THE_PROCESS) == 4
    assert [len(outputs) for outputs in fast][10:13] == [1, 2, 1]  # Figures with and without show.


@pytest.mark.engines
@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_of_this_project_shows_the_same(path: Path, tmp_path: Path) -> None:
    # Papermill runs it by itself, meanwhile.
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb"), "--cwd", str(path.parent)]
    stock = subprocess.Popen([*command, "--kernel", "python3", "--no-progress-bar"], stderr=subprocess.PIPE, text=True)
    fast = normal(run(path, "vip"))
    _, said = stock.communicate(timeout=TIMEOUT)
    assert stock.returncode == 0, said
    assert fast == normal(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert any(outputs for outputs in fast)


@pytest.mark.engines
def test_nothing_of_the_settings_of_a_user_has_a_part_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = tmp_path / "ipython" / "profile_default" / "startup" / "00-mine.py"
    begin.parent.mkdir(parents=True)
    begin.write_text("mine = 'from my own folder'")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shown = run(notebook(tmp_path, ["'mine' in globals()"]), "vip")
    assert shown.cells[-1].outputs[0].data["text/plain"] == "False"


@pytest.mark.engines
def test_a_notebook_can_run_another_one(tmp_path: Path) -> None:
    inner = notebook(folder(tmp_path / "inner"), ["month * 2"], "month = ''")
    outer = notebook(
        tmp_path,
        [
            "import papermill",
            f"made = papermill.execute_notebook({str(inner)!r}, None, {{'month': 'ab'}}, engine_name='vip', "
            "progress_bar=False)",
            "made.cells[-1].outputs[0].data['text/plain']",
        ],
    )
    assert run(outer, "vip").cells[-1].outputs[0].data["text/plain"] == "\"'abab'\""


@pytest.mark.engines
@pytest.mark.parametrize(
    ("cell", "error", "said"),
    [
        ("1 / 0", PapermillExecutionError, "ZeroDivisionError"),
        ("input('name')", PapermillExecutionError, "StdinNotImplementedError"),
        ("import sys; sys.exit(3)", PapermillExecutionError, "SystemExit"),
        ("import os; os._exit(3)", DeadKernelError, "Kernel died"),
        ("import ctypes; ctypes.string_at(0)", DeadKernelError, "Kernel died"),
    ],
)
def test_what_fails_fails_in_the_same_way(tmp_path: Path, cell: str, error: type[Exception], said: str) -> None:
    path = notebook(tmp_path, ["print('before')", cell])
    with pytest.raises(error, match=said):
        run(path, "nbclient")
    # Without a kernel, it is the process that dies.
    with pytest.raises(error if error is PapermillExecutionError else ProcessDiedError):
        run(path, "vip")


@pytest.mark.process
def test_a_cell_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = notebook(tmp_path, ["import time", "time.sleep(900)"])
    begin = time.monotonic()
    with pytest.raises(CellTimeoutError):
        run(path, "vip", execution_timeout=2)
    assert time.monotonic() - begin < 300


@pytest.mark.parametrize("megabytes", [1, pytest.param(50, marks=pytest.mark.exhaustive)])
def test_megabytes_come_through(tmp_path: Path, megabytes: int) -> None:
    executed = run(notebook(tmp_path, [f"print('x' * {megabytes * 1_000_000})"]), "vip")
    assert len(executed.cells[-1].outputs[0].text) == megabytes * 1_000_000 + 1


@pytest.mark.engines
def test_each_kernel_begins_fresh_and_random_numbers_depend_on_the_parameters_alone(tmp_path: Path) -> None:
    cells = [
        "import random, numpy as np",
        "(random.random(), np.random.rand(3).tolist(), 'left' in globals())",
        "left = 1",
    ]
    path = notebook(tmp_path, cells, "month = ''")
    shown = [
        run(path, "vip", parameters={"month": month}).cells[3].outputs[0].data["text/plain"]
        for month in ("2023-11", "2023-10", "2023-11")
    ]
    assert shown[0] == shown[2] != shown[1]
    assert shown[0].endswith("False)")


@pytest.mark.engines
def test_matplotlib_is_set_as_the_folder_of_the_notebook_says_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = folder(tmp_path / "here"), folder(tmp_path / "elsewhere")
    (elsewhere / "matplotlibrc").write_text("lines.linewidth: 7\nlines.markersize: 9\n", "utf-8")
    monkeypatch.chdir(elsewhere)
    cell = "import matplotlib\n[matplotlib.rcParams[key] for key in ('lines.linewidth', 'lines.markersize', 'backend')]"
    path = notebook(here, [cell])
    assert normal(run(path, "vip")) == normal(run(path, "nbclient"))
    (here / "matplotlibrc").write_text("lines.linewidth: 3.5\n", "utf-8")
    shown = run(path, "vip")
    assert "[3.5, 6.0, " in shown.cells[-1].outputs[0].data["text/plain"]
    assert normal(shown) == normal(run(path, "nbclient"))


@pytest.mark.engines
def test_papermill_itself_finds_the_engine_and_writes_the_notebook(tmp_path: Path) -> None:
    path = notebook(tmp_path, ["month * 2"], "month = ''")
    command = [sys.executable, "-m", "papermill", "--engine", "vip", str(path), str(tmp_path / "out.ipynb")]
    done = subprocess.run([*command, "-p", "month", "ab"], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs[0].data["text/plain"] == "'abab'"


def test_the_engine_can_be_imported_before_papermill_and_after_it() -> None:
    for first, second in (("viputils.report.engine", "papermill"), ("papermill", "viputils.report.engine")):
        code = (
            f"import {first}, {second}; from papermill.engines import papermill_engines as all; all.get_engine('vip')"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=TIMEOUT)


def test_a_kernel_of_another_python_is_not_forked_from_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels" / "other"
    folder.mkdir(parents=True)
    argv = [str(tmp_path / "python-elsewhere"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "other", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    path = notebook(tmp_path, ["1"])
    with pytest.raises(FileNotFoundError, match="python-elsewhere"):
        papermill.execute_notebook(str(path), None, engine_name="vip", kernel_name="other", progress_bar=False)


def test_each_notebook_imports_from_its_own_folder(tmp_path: Path) -> None:
    shown = []
    for name in ("one", "two"):
        (folder(tmp_path / name) / "beside.py").write_text(f"NAME = {name!r}", "utf-8")
        path = notebook(tmp_path / name, ["import beside\nbeside.NAME"])
        made = papermill.execute_notebook(str(path), None, engine_name="vip", cwd=str(path.parent), progress_bar=False)
        shown.append(made.cells[-1].outputs[0].data["text/plain"])
    assert shown == ["'one'", "'two'"]


def test_the_notebook_of_an_issue_runs_in_this_python_whatever_kernel_somebody_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = folder(tmp_path / "kernels" / "python3")
    argv = [str(tmp_path / "python-elsewhere"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "other", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    path = notebook(tmp_path, ["import sys\nsys.executable"], "month = ''")
    for engine in ("vip", "stock"):
        made = in_own_process(_as_an_issue, path, engine, hear={})
        assert made.cells[-1].outputs[0].data["text/plain"] == repr(sys.executable)


def _as_an_issue(path: Path, engine: PapermillEngine, _tell: object) -> Any:
    return run_notebook(path, {"month": "2023-11"}, path.parent, engine)
