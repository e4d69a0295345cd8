"""Fit seeds as ``order.json`` of a folder says, in one process: in programs of so many seeds each, one after another.

Leaves in ``found.json`` the CPU seconds and the wall clock that training took, start and measuring left out.
"""

import json
import sys
import tempfile
from pathlib import Path

import aurify


def main(folder: Path) -> None:
    order = json.loads((folder / "order.json").read_text())
    seconds = 0.0
    for program in range(order["programs"]):
        with tempfile.TemporaryDirectory() as place:
            run = aurify.fit(order["world"], out=Path(place) / "run", seed=program, threads=1, **order["words"])
            seconds += json.loads(run.folder.training.read_text())["seconds"]
    (folder / "found.json").write_text(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
