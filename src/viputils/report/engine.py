"""The Papermill engine ``vip``: run a notebook in a process, without a kernel.

Use it as ``papermill --engine vip notebook.ipynb out.ipynb`` or ``papermill.execute_notebook(…, engine_name="vip")``;
each notebook gets a new process. An issue already has its own process, and its notebook runs there. For kernels of
another Python, time limits, and logs of outputs, Papermill's own engine is used.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Mapping
from typing import Any, Final

_LAUNCHER: Final = ["-m", "ipykernel_launcher"]
# Options of Papermill that only its own engine follows.
_OF_KERNELS: Final = ("execution_timeout", "log_output", "stdout_file", "stderr_file", "kernel_manager_class")


def seed_of(parameters: Mapping[str, Any]) -> int:
    """Return the seed of a notebook's random numbers; the same parameters have the same one."""
    return zlib.crc32(json.dumps(dict(parameters), sort_keys=True, default=str).encode())


class VipEngine:
    """Runs a notebook without a kernel.

    Papermill looks for its engines while it is itself being imported, so nothing here imports it before it is used.
    """

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Execute a notebook, as ``papermill.engines.Engine`` defines it.

        With the option ``in_this_process`` it runs here, whatever kernel is installed under the name.
        """
        if options.pop("in_this_process", False):
            return execute_here(nb, kernel_name, options)
        if any(options.get(name) for name in _OF_KERNELS) or not _can_run(kernel_name):
            from papermill.engines import NBClientEngine

            return NBClientEngine.execute_notebook(nb, kernel_name, **options)
        from viputils.report.process import in_own_process

        return in_own_process(execute_here, nb, kernel_name, options, hear={})

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> Any:
        """Return the kernel that a notebook asks for, as Papermill does."""
        from papermill.engines import NBClientEngine

        return NBClientEngine.nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> Any:
        """Return the language of a notebook, as Papermill does."""
        from papermill.engines import NBClientEngine

        return NBClientEngine.nb_language(nb, language)


def execute_here(nb: Any, kernel_name: str, options: Mapping[str, Any], _tell: object = None) -> Any:
    """Execute a notebook in this process."""
    from papermill.engines import Engine

    class InThisProcess(Engine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:  # noqa: ARG003
            return _run(nb_man)

    return InThisProcess.execute_notebook(nb, kernel_name, **options)


def _can_run(kernel_name: str) -> bool:
    """Return whether a kernel is one of this Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        command = KernelSpecManager().get_kernel_spec(kernel_name).argv
    except NoSuchKernel:
        return False
    # Jupyter also uses this Python for a kernel that only says `python`.
    return command[1:3] == _LAUNCHER and command[0] in (sys.executable, "python", f"python{sys.version_info.major}")


def _run(execution: Any) -> Any:
    import random

    import numpy as np

    from viputils.report.shell import run_cells

    seed = seed_of(execution.nb.metadata.get("papermill", {}).get("parameters", {}))
    random.seed(seed)
    np.random.seed(seed % 2**32)
    run_cells(execution)
    version = sys.version_info
    execution.nb.metadata["language_info"] = {
        "name": "python",
        "version": f"{version.major}.{version.minor}.{version.micro}",
        "mimetype": "text/x-python",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "pygments_lexer": "ipython3",
        "nbconvert_exporter": "python",
        "file_extension": ".py",
    }
    return execution.nb
