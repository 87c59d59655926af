"""How a command ends, and with which exit code: an error, Ctrl-C or a termination signal."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from viputils.cli.options import CANNOT, FAULT
from viputils.cli.output import (
    say_aside,
)
from viputils.core.errors import (
    INTERRUPTED,
    NOTHING_CHANGED,
    BalanceError,
    VipError,
)

# Seconds until Ctrl-C is sent again if Python swallowed it.
_AGAIN = 0.01
# Seconds that an interrupted command may clean up without being interrupted again.
_TIDYING = 5.0


class InterruptedByUser(SystemExit):
    """Ctrl-C or a termination signal, as an exception that no library handles as its own error.

    An event loop lets only SystemExit and KeyboardInterrupt through, and Typer handles KeyboardInterrupt itself. If
    nothing catches it, Python exits with its code, which is never 0.
    """


def run(app: Callable[[], object]) -> NoReturn:
    """Run a command. Turn every user-fixable error into a message and an exit code."""
    heard: list[float] = []

    def stop(_signum: int, _frame: object) -> None:
        # A second Ctrl-C is ignored, because it would interrupt the cleanup.
        if heard and time.monotonic() - heard[-1] < _TIDYING:
            return
        heard.append(time.monotonic())
        # The user does not need the log messages of libraries that are being stopped.
        logging.disable()
        raise InterruptedByUser(INTERRUPTED)

    def again(lost: sys.UnraisableHookArgs) -> None:
        # Python swallows exceptions that are raised in a finalizer. Send the signal again, outside of it.
        if isinstance(lost.exc_value, InterruptedByUser):
            heard.clear()
            threading.Timer(_AGAIN, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = again
    # A termination signal and a closed terminal clean up like Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # Under nohup, the command must keep running.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    try:
        app()
    except VipError as error:
        say_aside(str(error))
        sys.exit(FAULT if isinstance(error, BalanceError) else CANNOT)
    except InterruptedByUser:
        say_aside(NOTHING_CHANGED)
        end(INTERRUPTED)
    except OSError as error:
        say_aside(f"{error.filename or 'Cannot write'}: {error.strerror or error}. Nothing was changed.")
        sys.exit(CANNOT)
    except Exception:
        # A crash needs its own exit code, so that scripts do not read it as a verdict.
        say_aside(traceback.format_exc() + "This is a bug in viputils. Please report it with the lines above.")
        sys.exit(FAULT)
    sys.exit(0)


def end(code: int) -> NoReturn:
    """Exit an interrupted command. A second Ctrl-C does not disturb the shutdown."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)
