"""Where ``vip`` begins: Ctrl-C is heard in plain words from the first moment on, also while everything is imported."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from viputils.core.errors import INTERRUPTED, NOTHING_CHANGED


def main() -> NoReturn:
    """Run the command line."""

    def stop(_signum: int, _frame: object) -> NoReturn:
        # An exception could be raised in the middle of an import, and be taken for a package that is not there.
        os.write(2, f"{NOTHING_CHANGED}\n".encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, stop)
    from viputils.cli.main import main as run
    from viputils.core.files import matplotlib_settings

    os.environ.update(matplotlib_settings(os.environ))

    run()


if __name__ == "__main__":
    main()
