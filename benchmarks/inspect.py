"""How many planted defects `aurify inspect` finds, and how often it warns of tables in which nothing is wrong.

    inspect.py [--seeds tune|held] [--plantings 200] [--untouched 20] [--defects A,B] [--bases A,B] [--workers 2]
    inspect.py --cost       seconds and peak memory, on 142,193 rows, 62,774 texts and on one, two and four million

Each base set gets so many plantings, in turn over the defects that it lends itself to, their strengths drawn at random.
A planting is found where a severe finding or a warning (of plain facts a note) of a check that is for it names what was
planted. The seeds `held` are for the last count alone: nobody looks at them while thresholds are chosen.
"""

import os
import sys

if __name__ == "inspect":  # a script beside this one wants the standard library's module of that name: give it that
    path = sys.path[:]
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 (pathlib may be what wants it)
    sys.path[:] = [p for p in path if os.path.abspath(p) != own]  # noqa: PTH100
    del sys.modules["inspect"]
    sys.modules["inspect"] = __import__("inspect")
    sys.path[:] = path

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    from benchmarks.planting.command import main

    main(__doc__)
