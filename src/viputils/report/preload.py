"""Imports of the server that processes are forked from (see ``process``). Do not import this module elsewhere."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
from typing import Final

# Threads started here would not exist in the forked processes.
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

# Not matplotlib_inline: it sets itself up for the shell in which it is imported.
_AHEAD: Final = (
    "IPython.core.interactiveshell",
    "IPython.extensions.storemagic",
    "ipykernel.jsonutil",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "matplotlib.style",
    "pandas.core.methods.to_dict",
    "papermill",
    "papermill.execute",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.pandas_compat",
    "scipy.special",
    "sqlite3",
    "viputils.figures.assessment",
    "viputils.report.charts",
    "viputils.report.issue",
    "viputils.report.narrative",
    "viputils.report.render.embedded",
    "viputils.report.shell",
    "viputils.report.verdict_sections",
)

for _name in _AHEAD:
    # The code that needs a missing module reports it.
    with contextlib.suppress(Exception):
        importlib.import_module(_name)
gc.collect()
gc.freeze()
