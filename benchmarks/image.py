"""What the image task reaches, and how fast its loop is; each mode prints one line of JSON.

    image.py cifar [--time 600]     the default recipe on CIFAR-10's official test part, the classic CNN for the same
                                    wall time beside it; without opening the test part with --held
    image.py hymenoptera            398 photos, 180 seconds from scratch, 5 seeds, the classic CNN beside it
    image.py classic                images/s of the classic CNN through our loop, by hand in torch and in Keras
    image.py waiting                share of the training time that the loop waits for data

The classic CNN is conv32-pool-conv64-pool-dense128, Adam, batches of 32. Data is read from ``$AURIFY_SHARED/data`` (or
``../shared/data``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

from images import classic, contests, waiting


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("cifar", "hymenoptera", "classic", "waiting"))
    parser.add_argument("--time", type=float, default=None, help="seconds in all of each contestant")
    parser.add_argument("--threads", type=int, default=None, help="threads of each contestant")
    parser.add_argument("--held", action="store_true", help="cifar: test 5,000 of the training images instead")
    parser.add_argument("--seeds", type=int, default=5, help="hymenoptera: how many")
    asked = parser.parse_args()
    match asked.mode:
        case "cifar":
            told = contests.cifar(asked.time or 600.0, asked.threads, held=asked.held)
        case "hymenoptera":
            told = contests.hymenoptera(asked.time or 180.0, asked.threads, asked.seeds)
        case "classic":
            told = classic.measured(asked.threads or 1)
        case _:
            told = waiting.measured(asked.threads or 1)
    json.dump({"mode": asked.mode, **told}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
