"""Seconds that `aurify --help` and `import aurify` take as whole processes. Targets: 0.5 and 0.2.

The bare interpreter takes turns with them, as the floor on this machine. Medians, wall clock.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROUNDS = 11
COMMAND = str(Path(sysconfig.get_path("scripts")) / "aurify")
COMMANDS = {
    "help": [COMMAND, "--help"],
    "import": [sys.executable, "-c", "import aurify"],
    "fit_help": [COMMAND, "fit", "--help"],
    "python": [sys.executable, "-c", "pass"],
}
TARGETS = {"help": 0.5, "import": 0.2}


def seconds(command: list[str]) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.monotonic() - began


def main() -> None:
    for command in COMMANDS.values():  # the first time reads from the disk and writes byte code
        seconds(command)
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(ROUNDS)]
    medians = {name: round(statistics.median(r[name] for r in rounds), 3) for name in COMMANDS}
    least = {name: round(min(r[name] for r in rounds), 3) for name in COMMANDS}
    met = {name: medians[name] <= most for name, most in TARGETS.items()}
    found = {"seconds": medians, "least": least, "targets": TARGETS, "met": met, "rounds": ROUNDS}
    print(json.dumps({"benchmark": "startup", **found}))


if __name__ == "__main__":
    main()
