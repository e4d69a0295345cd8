"""What the tests of databases share: a program that takes part in a study, and trials as ``trials.json`` has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def program(text, *given):
    """Begin a Python program with some arguments; its lines are read with ``stdout``."""
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def line(process):
    """The next line that a program writes."""
    text = process.stdout.readline().strip()
    assert text, process.stderr.read()
    return text


def ended(process):
    """The lines of JSON that a program wrote before it ended well."""
    out, err = process.stdout.read(), process.stderr.read()
    process.communicate()
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


def distributions():
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    return {
        "network.width": IntDistribution(16, 256, log=True),
        "optimizer.learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
        "dropout.on": CategoricalDistribution((False, True)),
        "blend.model": CategoricalDistribution((None, "trees", 1, 0.5)),
    }


def trial(number, *scores, state="complete", **more):
    """Trial ``number`` with a score a rung."""
    shares = [3.0 ** (at + 1 - len(scores)) if state != "pruned" else 3.0 ** (at - 2) for at in range(len(scores))]
    rungs = [{"share": share, "score": score, "seconds": 1.5} for share, score in zip(shares, scores, strict=True)]
    plain = {
        "number": number,
        "settings": {
            "network.width": 16 + number,
            "optimizer.learning_rate": 0.01,
            "dropout.on": number % 2 == 0,
            "blend.model": [None, "trees", 1, 0.5][number % 4],
        },
        "origin": "random",
        "state": state,
        "reason": None,
        "rungs": rungs,
        "score": scores[-1] if scores else None,
        "values": {"roc_auc": scores[-1] if scores else None, "latency": 0.5},
        "seconds": 1.5 * len(scores),
    }
    return {**plain, **more}
