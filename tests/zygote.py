"""Starts aurify commands fast: imports everything once, then forks a process for each request.

Run as a script. A request is a JSON line on stdin: ``{"start": {...}}`` forks and is answered with a pid,
``{"poll": pid}`` with null or the wait status, ``{"wait": pid}`` with the wait status. Nothing is computed here before
the fork, so that each child is what a fresh process would be.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "shutil.rmtree"}


def preload():
    for name in (
        "gymnasium",
        "optuna",
        "polars",
        "rich.progress",
        "safetensors.torch",
        "sklearn.ensemble",
        "sklearn.linear_model",
        "yaml",
    ):
        importlib.import_module(name)
    importlib.import_module("torch._dynamo")  # the first optimizer of a process does
    importlib.import_module("typer._adapters")
    for name in ("aurify.cli", "aurify.report.terminal", "aurify.workbench"):
        importlib.import_module(name)
    gc.freeze()  # a child need not copy what it never frees


def become(order):
    """Turn this forked process into a command."""
    os.chdir(order["cwd"])
    for path, handle in ((os.devnull, 0), (order["out"], 1), (order["err"], 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC * (handle > 0), 0o644), handle)
    if order["file_limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
        if order["deadly"]:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if order["memory_limit"] is not None:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + order["memory_limit"],) * 2)
    if order["changes_in"] is not None:
        watch_changes(order["changes_in"], order["kill_at"], order["trace"])
    sys.argv = ["aurify", *order["words"]]
    from aurify.cli import main

    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)  # taking torch apart again would cost more than most commands


def watch_changes(folder, kill_at, trace):
    """SIGKILL this process right before its ``kill_at``-th change of the file system in ``folder``.

    Without a number, write to ``trace`` what the folder holds before each change: one line of names and sizes.
    """
    seen = 0

    def hook(event, arguments):
        nonlocal seen
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
        if (event in CHANGES or opened) and any(str(a).startswith(folder) for a in arguments[:2]):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if kill_at is None:
                with Path(trace).open("a") as file:
                    print(listing(Path(folder)), file=file)

    sys.addaudithook(hook)


def listing(folder):
    """Final names and sizes in a folder; what has a temporary name does not count."""
    paths = sorted(p for p in folder.rglob("*") if not any(part.endswith(".tmp") for part in p.parts))
    return [f"{p.relative_to(folder)}:{p.stat().st_size if p.is_file() else 0}" for p in paths]


def serve():
    answers = os.fdopen(os.dup(1), "w")
    preload()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        match json.loads(line):
            case {"start": order}:
                pid = os.fork()
                if pid == 0:
                    become(order)
                answer = pid
            case {"poll": pid}:
                done, status = os.waitpid(pid, os.WNOHANG)
                answer = status if done else None
            case {"wait": pid}:
                answer = os.waitpid(pid, 0)[1]
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve()
