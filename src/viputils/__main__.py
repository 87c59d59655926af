"""The entry point of ``vip``. It handles Ctrl-C from the start, even during imports."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from viputils.core.errors import INTERRUPTED, NOTHING_CHANGED


def main() -> NoReturn:
    """Run the command line."""

    def stop(_signum: int, _frame: object) -> NoReturn:
        # An exception raised during an import could be mistaken for a missing package.
        os.write(2, f"{NOTHING_CHANGED}\n".encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, stop)
    from viputils.cli.main import main as run
    from viputils.core.files import matplotlib_settings

    os.environ.update(matplotlib_settings(os.environ))

    run()


if __name__ == "__main__":
    main()
