"""Seconds until aurify's best model so far is as good on tested rows as what a peer's search ends with.

A peer's seconds are those of its ``fit``, aurify's those of the whole process up to the moment at which the model lay
in its run folder, ready to be used. Which of these models were good enough is looked up after the process has ended;
the search knows nothing of the tested rows. ``first`` is kind to aurify, which is looked at several times where the
peer is looked at once; ``kept`` asks that no later model fell below again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tuning import contestants, ratios
from benchmarks.tuning.cache import Cache
from benchmarks.tuning.moments import moments
from benchmarks.tuning.tables import RACE, Table

PEERS = ("logistic", "default", "grid", "random", "bayes")
TARGETS = {"grid": 10.0, "random": 5.0, "bayes": 10.0}


@dataclass(frozen=True)
class Race:
    """``peers`` is a folder that has scikit-optimize where this Python lacks it; ``words`` go to ``aurify.tune``."""

    cache: Cache
    seeds: int
    cores: int
    peers: Sequence[Path]
    words: Mapping[str, Any]
    on: Sequence[str]

    def run(self) -> dict[str, Any]:
        return {
            "benchmark": "tune race",
            "metric": "roc_auc",
            "words": dict(self.words),
            "versions": self.versions(),
            "targets": TARGETS,
            "tables": {t.name: {"skipped": t.lacking} if t.lacking else self.raced(t) for t in _named(self.on)},
        }

    def peers_alone(self) -> dict[str, Any]:
        """The peers' side, which fills the cache."""
        found = {
            t.name: [self.of_peers(t, seed) for seed in range(self.seeds)] for t in _named(self.on) if not t.lacking
        }
        tables = {name: _peers(rows) for name, rows in found.items()}
        return {"benchmark": "tune race, peers alone", "versions": self.versions(), "tables": tables}

    def versions(self) -> dict[str, str]:
        found = {}
        for name in ("scikit-learn", "scikit-optimize"):
            program = f"from importlib.metadata import version; print(version({name!r}))"
            env = {"PYTHONPATH": ":".join(map(str, self.peers))}
            done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
            found[name] = done.stdout.strip() or "absent"
        return found

    def raced(self, table: Table) -> dict[str, Any]:
        theirs, ours = [], []
        for seed in range(self.seeds):
            theirs.append(self.of_peers(table, seed))
            ours.append(self.of_aurify(table, seed))
        against = {peer: _against(peer, [t[peer] for t in theirs], ours) for peer in PEERS}
        return {"peers": _peers(theirs), "aurify": _ours(ours), "against": against}

    def of_peers(self, table: Table, seed: int) -> dict[str, Any]:
        versions = self.versions()
        asked = {"race": table.name, "seed": seed, "cores": self.cores, **versions}
        return {
            peer: self.cache.get({**asked, "peer": peer}, lambda peer=peer: self._peer(table, peer, seed))
            for peer in PEERS
        }

    def _peer(self, table: Table, peer: str, seed: int) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as place:
            words = [table.name, peer, str(seed), str(self.cores)]
            program = [sys.executable, "-m", "benchmarks.tuning.peers", *words]
            seconds = contestants.process(program, self.cores, Path(place), contestants.threads_of_one(self.peers))
            said = (Path(place) / "log.txt").read_text().splitlines()
        found = next(json.loads(line) for line in said if line.startswith("{"))
        return {**found, "process_seconds": round(seconds, 2)}

    def of_aurify(self, table: Table, seed: int) -> dict[str, Any]:
        from sklearn.metrics import roc_auc_score

        import aurify

        _, tested = table.parts(seed)
        truth, asked = table.truth(tested), tested.drop(table.target)
        with tempfile.TemporaryDirectory(prefix="aurify-race-") as place:
            raced = contestants.aurify(table, seed, self.cores, self.words, Path(place))
            answers = [
                aurify.load(file).predict(asked)[f"p_{table.positive}"].to_numpy() for _, file in raced["models"]
            ]
        return {
            "seconds": raced["seconds"],
            "at": [round(at, 2) for at, _ in raced["models"]],
            "roc_auc": [round(float(roc_auc_score(truth, one)), 6) for one in answers],
            "found": raced["found"],
        }


def _named(names: Sequence[str]) -> list[Table]:
    return [table for table in RACE if not names or table.name in names]


def _peers(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over the seeds."""
    return {
        peer: {
            "seconds": round(float(np.mean([row[peer]["seconds"] for row in rows])), 2),
            "roc_auc": round(float(np.mean([row[peer]["roc_auc"] for row in rows])), 4),
        }
        for peer in PEERS
    }


def _ours(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "seconds": round(float(np.mean([row["seconds"] for row in rows])), 2),
        "roc_auc": round(float(np.mean([row["roc_auc"][-1] for row in rows])), 4),
        "first_model_seconds": round(float(np.mean([row["at"][0] for row in rows])), 2),
        "per_seed": [{name: row[name] for name in ("seconds", "at", "roc_auc")} for row in rows],
    }


def _against(peer: str, theirs: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Peer's seconds over ours, by seed; 0 where a score was not reached, and then the mean is at most so much."""
    found: dict[str, Any] = {}
    reached = [moments(o["at"], o["roc_auc"], t["roc_auc"]) for t, o in zip(theirs, ours, strict=True)]
    for name in ("first", "kept"):
        at = [getattr(one, name) for one in reached]
        times = [t["seconds"] / s if s is not None else 0.0 for t, s in zip(theirs, at, strict=True)]
        most = [x or t["seconds"] / o["seconds"] for x, t, o in zip(times, theirs, ours, strict=True)]
        mean = ratios.rounded(ratios.geometric_mean(most), 3)
        found[name] = {
            "reached": f"{sum(s is not None for s in at)}/{len(at)}",
            "ratio" if all(times) else "ratio_at_most": mean,
            "median": round(float(np.median(times)), 3),
            "ratios": [round(x, 3) for x in times],
            "seconds": at,
        }
    gap = ratios.mean([o["roc_auc"][-1] - t["roc_auc"] for t, o in zip(theirs, ours, strict=True)])
    met = {} if peer not in TARGETS else {"met": bool((found["first"].get("ratio") or [0.0])[0] >= TARGETS[peer])}
    return {**found, "final_minus_peer": ratios.rounded(gap), **met}
