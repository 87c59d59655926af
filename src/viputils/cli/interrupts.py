"""How a command ends: by an error, by Ctrl-C or by a polite kill, and with which exit code."""

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

# In seconds, until Ctrl-C is said once more where Python had swallowed it.
_AGAIN = 0.01
# For so many seconds a command that was interrupted tidies up, and hears nothing more.
_TIDYING = 5.0


class InterruptedByUser(SystemExit):
    """Ctrl-C or a polite kill; no library on the way mistakes it for an error of its own.

    An event loop lets out only this and Ctrl-C's own, for which Typer has words of its own. Where nobody is left to
    hear it, Python ends with the code that it carries, which is never that of a success.
    """


def run(app: Callable[[], object]) -> NoReturn:
    """Run a command; turn every error that its user can fix into a message and an exit code."""
    heard: list[float] = []

    def stop(_signum: int, _frame: object) -> None:
        # Whoever presses it twice is heard once: the second time would break into the tidying up.
        if heard and time.monotonic() - heard[-1] < _TIDYING:
            return
        heard.append(time.monotonic())
        # What a library has to say of its own end is no news to who ended it.
        logging.disable()
        raise InterruptedByUser(INTERRUPTED)

    def again(lost: sys.UnraisableHookArgs) -> None:
        # Python lets nothing out of what tidies up an object. Then it is said once more, outside of that.
        if isinstance(lost.exc_value, InterruptedByUser):
            heard.clear()
            threading.Timer(_AGAIN, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = again
    # A polite kill, and a terminal that is closed, clean up as Ctrl-C does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # Who says nohup wants it to go on.
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
        say_aside(f"{error.filename or 'Writing'}: {error.strerror or error}. Nothing was changed.")
        sys.exit(CANNOT)
    except Exception:
        # Never the exit code of a verdict: a script that reads it must not take a crash for one.
        say_aside(traceback.format_exc() + "This is a fault of viputils; please report it with the lines above.")
        sys.exit(FAULT)
    sys.exit(0)


def end(code: int) -> NoReturn:
    """Exit an interrupted command. A second Ctrl-C does not disturb the shutdown."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)
