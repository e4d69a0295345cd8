"""Whether a ledger can be trusted: its intervals, its verdicts, and what it says it would see.

    ledger.py --coverage [--sets 2000]   how often intervals hold the true effect, which redrawing data sets tells
    ledger.py --placebo  [--sets 200]    verdicts on ingredients that perturb a training and change nothing on average
    ledger.py --power    [--sets 75]     verdicts on planted effects as large as the ledger itself says it sees

Statistics, samples, folds and, but for --coverage, trainings are the package's own. The seeds `held` are for the last
count alone.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.proving.command import main

    main(__doc__ or "")
