"""The process around a verb: signals, exit codes, and one line for whatever goes wrong."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from aurify.cli.verbs import app
from aurify.core.cores import UNASKED


def main() -> None:
    """Run a command; whatever goes wrong ends as one line and an exit code, never as a traceback."""
    if "OMP_NUM_THREADS" not in os.environ:  # before torch loads; --threads overrules it
        os.environ |= {"OMP_NUM_THREADS": "1", UNASKED: "1"}
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_at_once)  # until there is something to save: then core.watch takes over
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - closed by the caller
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        _explain(error)
    except BaseException as error:
        if not hasattr(error, "signal_number"):
            raise
        _fail(str(error), 128 + getattr(error, "signal_number"))  # noqa: B009
    if code == 130:  # typer's answer to Ctrl-C
        _fail("interrupted", 130)
    gc.freeze()  # torch leaves so many objects that taking them apart at exit would cost a second
    sys.exit(code)


def _stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """End without unwinding: an exception in the middle of torch's import ends in a core dump or is swallowed."""
    os.write(2, b"aurify: interrupted; nothing was begun that needs saving\n")
    os._exit(128 + number)


def _explain(error: Exception) -> NoReturn:
    from aurify.core.errors import AurifyError

    if isinstance(error, AurifyError):
        _fail(str(error), error.exit_code)
    if isinstance(error, OSError) and error.errno is not None:  # a full disk, a folder moved away, a name too long
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror}; what was saved before is kept", 2)
    message = getattr(error, "format_message", None)  # words that the command line does not know
    if message is not None:
        _fail(f"{message()} (see aurify --help)", 2) if message() else sys.exit(2)
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="aurify-", suffix=".log", delete=False) as log:
        traceback.print_exc(file=log)
    what = str(error).strip().splitlines()
    _fail(
        f"a mistake of ours: {type(error).__name__}: {what[0] if what else ''} (details in {log.name}; please report)",
        70,
    )


def _fail(message: str, code: int) -> NoReturn:
    print(f"aurify: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
