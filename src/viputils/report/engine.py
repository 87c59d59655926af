"""The fast engine of Papermill: kernels that are forked, and not started.

It is registered as ``vip``: ``papermill --engine vip notebook.ipynb out.ipynb`` and
``papermill.execute_notebook(…, engine_name="vip")``. Everything but the start of the kernel is Papermill's own. Where
kernels cannot be forked, they are started as ever.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from viputils.report.zygote import CANNOT_FORK, Zygote, can_fork, own_zygote, seed_of

_LAUNCHER = ["-m", "ipykernel_launcher"]


class ForkProvisioner(LocalProvisioner):
    """Forks a kernel of this Python; any other one it starts as ever."""

    zygote: Zygote | None = None
    seed: int = 0

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel."""
        if self.zygote is None or cmd[0] != sys.executable or cmd[1:3] != _LAUNCHER:
            return await super().launch_kernel(cmd, **kwargs)
        env = dict(kwargs.get("env") or os.environ)
        env.pop("PYTHONEXECUTABLE", None)
        env.pop("PYTHONSTARTUP", None)
        cwd = str(kwargs.get("cwd") or Path.cwd())
        if not self.zygote.suits(env):
            return await super().launch_kernel(cmd, **kwargs)
        kernel = self.zygote.fork(cmd[3:], cwd, env, self.seed, kwargs.get("stdout"), kwargs.get("stderr"))
        self.process = kernel  # type: ignore[assignment]  # It does what is asked of a process.
        self.pid = self.pgid = kernel.pid
        self.cwd = cwd
        return self.connection_info


def forked(manager: Any, zygote: Zygote, seed: int) -> Any:
    """Let a kernel manager fork its kernel instead of starting it."""
    provisioner = ForkProvisioner(kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec, parent=manager)
    provisioner.zygote, provisioner.seed = zygote, seed
    manager.provisioner = provisioner
    return manager


class ForkEngine:
    """Papermill's own engine, with forked kernels. One process forks all those of this one, and ends with it.

    Papermill looks for its engines while it is itself being imported, so nothing here imports it before it is used.
    """

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Execute a notebook in a kernel that is forked."""
        from papermill.engines import NBClientEngine

        if can_fork():
            zygote = own_zygote()
            seed = seed_of(nb.metadata.get("papermill", {}).get("parameters", {}))

            class Manager(AsyncKernelManager):
                async def _async_pre_start_kernel(self, **kwargs: Any) -> Any:
                    if self.provisioner is None:
                        forked(self, zygote, seed)
                    return await super()._async_pre_start_kernel(**kwargs)

            options.setdefault("kernel_manager_class", Manager)
        else:
            from papermill.log import logger

            logger.warning("%s", CANNOT_FORK)
        return NBClientEngine.execute_notebook(nb, kernel_name, **options)

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
