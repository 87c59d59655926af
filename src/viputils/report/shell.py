"""Run the cells of a notebook in this process with IPython's shell, and collect their outputs."""

from __future__ import annotations

import atexit
import builtins
import getpass
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, Final, NoReturn

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

INLINE: Final = "module://matplotlib_inline.backend_inline"
_NO_INPUT: Final = "raw_input was called, but this frontend does not support input requests."


class Outputs:
    """What the cells of a notebook show, one cell after the other."""

    def __init__(self) -> None:
        self._cell: list[Any] = []
        self._by_display: dict[str, list[Any]] = {}
        self._clear_before_next = False

    def begin(self) -> list[Any]:
        """Return the outputs of the next cell, which fill while it runs."""
        self._cell, self._clear_before_next = [], False
        return self._cell

    def add(self, output: Any) -> None:
        """Add an output. Text that follows text of the same stream is joined to it."""
        if self._clear_before_next:
            self.clear()
        last = self._cell[-1] if self._cell else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            self._cell.append(output)

    def show(self, kind: str, data: Any, metadata: Any, display_id: str | None = None, **more: Any) -> None:
        """Add something that was displayed; ``display_id`` is the name by which it can be changed later."""
        from ipykernel.jsonutil import encode_images, json_clean
        from nbformat.v4 import new_output

        output = new_output(kind, json_clean(encode_images(data)), metadata=json_clean(metadata or {}), **more)
        self.add(output)
        if display_id is not None:
            self._by_display.setdefault(display_id, []).append(output)

    def update(self, display_id: str | None, data: Any, metadata: Any) -> None:
        """Change what was displayed under a name."""
        from ipykernel.jsonutil import encode_images, json_clean
        from nbformat import from_dict

        for output in self._by_display.get(display_id or "", []):
            output.data = from_dict(json_clean(encode_images(data)))
            output.metadata = from_dict(json_clean(metadata or {}))

    def clear(self, wait: bool = False) -> None:
        """Remove the outputs of the cell so far, at once or before the next one."""
        self._clear_before_next = wait
        if not wait:
            self._cell.clear()


class _Stream(io.TextIOBase):
    """Standard output or standard error of the cells."""

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name = name
        self._outputs = outputs

    encoding = "UTF-8"
    errors = "strict"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        from nbformat.v4 import new_output

        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if text:
            self._outputs.add(new_output("stream", name=self.name, text=text))
        return len(text)


def _outputs(display: Any) -> Outputs:
    """Return where a part of the shell shows things."""
    outputs: Outputs = display.shell.outputs
    return outputs


class _Publisher(DisplayPublisher):
    def publish(  # type: ignore[override]
        self, data: Any, metadata: Any = None, *, transient: Any = None, update: bool = False, **_: Any
    ) -> None:
        display_id = (transient or {}).get("display_id")
        if update:
            _outputs(self).update(display_id, data, metadata)
        else:
            _outputs(self).show("display_data", data, metadata, display_id)

    def clear_output(self, wait: bool = False) -> None:
        _outputs(self).clear(wait)


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        """Write no prompt."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        _outputs(self).show("execute_result", format_dict, md_dict, execution_count=self.prompt_count)

    def finish_displayhook(self) -> None:
        """Write nothing after the result."""


class Shell(InteractiveShell):
    """IPython's shell, without a terminal, a history file or the user's settings."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)

    def __init__(self, outputs: Outputs, folder: str) -> None:
        self.outputs = outputs
        config = Config()
        config.HistoryManager.hist_file = ":memory:"
        config.HistoryManager.enabled = True
        super().__init__(config=config, ipython_dir=folder)  # type: ignore[no-untyped-call]

    def init_hooks(self) -> None:
        """Show no pager: what would be paged is not part of a notebook."""
        super().init_hooks()  # type: ignore[no-untyped-call]
        self.set_hook("show_in_pager", lambda *_, **__: None, 99)

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        from nbformat.v4 import new_output

        self.outputs.add(new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=stb))

    def enable_gui(self, gui: Any = None) -> None:
        """Enable nothing: no window belongs to a notebook."""

    def ask_exit(self) -> None:
        """Go on: a notebook ends with its last cell."""


def run_cells(execution: Any) -> None:
    """Run the code cells of a notebook, up to the first that fails.

    Parameters
    ----------
    execution
        Papermill's ``NotebookExecutionManager``, whose notebook receives the outputs.
    """
    with _shell() as shell:
        for index, cell in enumerate(execution.nb.cells):
            execution.cell_start(cell, index)
            try:
                if cell.cell_type == "code" and cell.source.strip():
                    cell.outputs = shell.outputs.begin()
                    error = _run(shell, cell)
                    if error is not None and "raises-exception" not in cell.metadata.get("tags", []):
                        execution.cell_exception(cell, cell_index=index, exception=error)
                        break
            finally:
                execution.cell_complete(cell, cell_index=index)


def _run(shell: Shell, cell: Any) -> BaseException | None:
    result = shell.run_cell(cell.source, store_history=True)
    cell.execution_count = result.execution_count
    if isinstance(result.error_in_exec, KeyboardInterrupt):
        raise result.error_in_exec
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


@contextmanager
def _shell() -> Iterator[Shell]:
    """Yield a fresh shell, and give this process back its streams, paths and hooks afterwards."""
    outputs = Outputs()
    path, argv, main = list(sys.path), list(sys.argv), sys.modules["__main__"]
    hooks = sys.displayhook, sys.excepthook
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vip-shell-"))
        nothing = stack.enter_context(open(os.devnull, encoding="utf-8"))  # noqa: PTH123 - it is no path of ours
        for owner, name, value in (
            (sys, "stdin", nothing),
            (builtins, "input", _no_input),
            (getpass, "getpass", _no_input),
        ):
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        if "MPLBACKEND" not in os.environ:
            stack.callback(os.environ.pop, "MPLBACKEND", None)
            os.environ["MPLBACKEND"] = INLINE
        shell = Shell.instance(outputs=outputs, folder=folder)
        try:
            # A notebook imports from its own folder first.
            sys.path.insert(0, "")
            stack.enter_context(_figures())
            with redirect_stdout(_Stream("stdout", outputs)), redirect_stderr(_Stream("stderr", outputs)):
                yield shell
        finally:
            Shell.clear_instance()
            atexit.unregister(shell.atexit_operations)
            shell.atexit_operations()
            sys.path[:], sys.argv[:], sys.modules["__main__"] = path, argv, main
            sys.displayhook, sys.excepthook = hooks


@contextmanager
def _figures() -> Iterator[None]:
    """Use the Matplotlib settings of the current folder, as a kernel that starts there does."""
    if "matplotlib" not in sys.modules:
        yield
        return
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcParams.update({**mpl.rc_params(), "backend": os.environ["MPLBACKEND"]})
        yield


def _no_input(*_: Any, **__: Any) -> NoReturn:
    raise StdinNotImplementedError(_NO_INPUT)
