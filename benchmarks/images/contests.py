"""The default recipe and the classic CNN on the same photographs, for the same wall time one after the other."""

from __future__ import annotations

import math
import os
import resource
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import aurify
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.measure.intervals import differences
from aurify.measure.predictions import Predictions
from images.classic import BATCH, RATE, classic_network

DATA = Path(os.environ.get("AURIFY_SHARED", Path(__file__).parents[3] / "shared")) / "data"


def cifar(seconds: float, threads: int | None, *, held: bool) -> dict[str, Any]:
    """CIFAR-10: 50,000 images to learn from, the official 10,000 tested; ``held``: a tenth of the former instead."""
    with tempfile.TemporaryDirectory(prefix="aurify-image-") as place:
        data = unpacked("cifar10", Path(place))
        settings = {"split.test": 0.1} if held else {}
        return _contest(data / "train" if held else data, Path(place), seconds, threads, 0, settings)[0]


def hymenoptera(seconds: float, threads: int | None, seeds: int) -> dict[str, Any]:
    """398 photographs of ants and bees, a fifth of them tested, drawn anew for each seed."""
    found, gaps, rows = [], {}, []
    with tempfile.TemporaryDirectory(prefix="aurify-image-") as place:
        data = unpacked("hymenoptera_small", Path(place))
        for seed in range(seeds):
            told, each = _contest(data, Path(place), seconds, threads, seed, {"split.test": 0.2})
            found.append(told)
            rows.append(each.pop("row"))
            for name, gap in each.items():
                gaps.setdefault(name, []).append(gap)
    return {
        "accuracy": {name: _mean([told["accuracy"][name] for told in found]) for name in found[0]["accuracy"]},
        "ours_minus": {name: _interval(np.concatenate(rows), np.concatenate(gap)) for name, gap in gaps.items()},
        "runs": found,
    }


def _contest(
    data: Path, place: Path, seconds: float, threads: int | None, seed: int, settings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What all reached, and for each tested row how much more often ours is right than each other."""
    began, used = time.monotonic(), _cpu()
    asked = {"budget.seconds": seconds, **settings}
    run = aurify.fit(data, out=place / f"run{seed}", seed=seed, settings=asked, threads=threads)
    took = {"ours": [round(time.monotonic() - began, 1), round(_cpu() - used, 1)]}
    mine, summary = Predictions.read(run.folder.predictions), run.summary
    began, used = time.monotonic(), _cpu()
    store, parts = Store.open(run.folder.store), Parts.open(run.folder.parts)
    codes, batches = classic(store, parts, mine.row, seconds, threads or torch.get_num_threads())
    took["classic"] = [round(time.monotonic() - began, 1), round(_cpu() - used, 1)]
    theirs = Predictions(
        row=mine.row,
        target=mine.target,
        prediction=codes,
        probabilities=np.eye(len(mine.classes or ()))[codes],
        classes=mine.classes,
    )
    gap = differences(mine, theirs)["accuracy"]
    baselines = {name: score["accuracy"] for name, score in summary["baselines"].items()}
    ours = summary["scores"]["accuracy"]
    right = (mine.prediction == mine.target).astype(float)
    told = {
        "rows": len(mine.row),
        "accuracy": {"ours": ours["value"], "classic": float((codes == mine.target).mean()), **baselines},
        "ours_interval": [ours["low"], ours["high"]],
        "ours_minus_classic": [round(value, 4) for value in (gap.value, gap.low, gap.high)],
        "training": {k: summary["training"].get(k) for k in ("seconds", "steps", "planned_steps")},
        "classic_batches": batches,
        "seconds_wall_and_cpu": took,
    }
    # of a linear model no answers are kept: its rows count as its mean
    others = {"classic": (codes == mine.target).astype(float)} | {
        n: np.full(len(right), v) for n, v in baselines.items()
    }
    return told, {"row": mine.row, **{name: right - other for name, other in others.items()}}


def classic(store: Store, parts: Parts, asked: np.ndarray, seconds: float, threads: int) -> tuple[np.ndarray, int]:
    """Codes of the asked rows by the epoch that the held-out rows liked best, and how many batches time allowed."""
    began = time.monotonic()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    images = torch.from_numpy(np.array(store.inputs["images"]))
    target = torch.from_numpy(np.array(store.target))
    height, _, channels = images.shape[1:]
    model = classic_network(height, channels, len(store.schema.classes or ()))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    fit, held, rows = (torch.from_numpy(np.array(each)) for each in (parts.fit, parts.held, asked))
    best, answer, batches = -1.0, torch.zeros(len(rows), dtype=torch.int64), 0
    while time.monotonic() - began < seconds:
        model.train()
        for batch in fit[torch.randperm(len(fit))].split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(_numbers(images[batch])), target[batch]).backward()
            optimizer.step()
            batches += 1
            if time.monotonic() - began > seconds:
                break
        right = float((_answered(model, images, held) == target[held]).float().mean())
        if right > best:
            best, answer = right, _answered(model, images, rows)
    return answer.numpy(), batches


def _numbers(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def _answered(model: torch.nn.Module, images: Tensor, rows: Tensor) -> Tensor:
    model.eval()
    return torch.cat([model(_numbers(images[part])).argmax(1) for part in rows.split(500)])


def unpacked(name: str, place: Path) -> Path:
    """The folder of a packed data set, laid out below ``place``."""
    with tarfile.open(DATA / f"{name}.tar.gz") as archive:
        archive.extractall(place, filter="data")
    return place / name / "data"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4)


def _interval(rows: np.ndarray, gaps: np.ndarray) -> list[float]:
    """Mean of the gaps with its plain 95 % interval; a row tested under several seeds counts as one."""
    each = np.array([gaps[rows == row].mean() for row in np.unique(rows)])
    share = np.array([(rows == row).sum() for row in np.unique(rows)]) / len(rows)
    mean = float(gaps.mean())
    half = 1.96 * math.sqrt(float((share**2 * (each - mean) ** 2).sum()))
    return [round(value, 4) for value in (mean, mean - half, mean + half)]
