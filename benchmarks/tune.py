"""What a search buys: how soon it is as good as its peers, how good it is after so long, and what it costs itself.

    tune.py --race [--seeds 5]  seconds until a score is reached, beside grid, random, Bayesian search of scikit-learn
    tune.py --budget 300        scores after so many seconds, beside AutoGluon (benchmarks/tuning/autogluon_env.sh)
    tune.py --overhead          milliseconds a trial of asking, telling and storing, up to 2,000 trials
    tune.py --functions         Bayesian beside random search on five standard functions, 40 trials, 20 repeats
    tune.py --tables            the same on two tables, through `aurify.tune(compare=...)`

What peers scored is kept in the folder --cache, a line each, and not run again on the same machine.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.tuning.command import main

    main(__doc__ or "")
