"""Candidate entries: fast ones written by hand, and ones drawn from what the field finds worth trying."""

from __future__ import annotations

from typing import Any

import numpy as np

Entry = dict[str, Any]

ALWAYS = {"drop_duplicates": {}, "calendar": {}, "fill_missing": {}}


def candidates(kind: str, count: int, seed: int = 0) -> list[Entry]:
    """``count`` in all: the recipe itself (nothing changed), the fast ones and drawn ones; more only add to fewer."""
    random = np.random.default_rng((seed, ["classify", "regress"].index(kind)))
    found: list[Entry] = [{}, *fast(kind)]
    while len(found) < count:
        found.append(drawn(kind, random))
    return found[:count]


def fast(kind: str) -> list[Entry]:
    """Small networks that take one cycle of few epochs."""
    quantiles = {"piecewise_linear": {"edges": "quantile", "bins": 16, "width": 8}}
    both, coarse = {"piecewise_linear": {"bins": 24, "width": 8}}, {"piecewise_linear": {"bins": 12, "width": 0}}
    waves = {"periodic": {"width": 8, "frequencies": 24, "spread": 0.05}}
    shallow, deep = {"name": "mlp", "width": 64, "depth": 1}, {"name": "mlp", "width": 128, "depth": 2}
    few, several = ({"name": "tabm", "width": 64, "depth": depth, "members": 4} for depth in (1, 2))
    return [
        _quick(kind, network, rate, epochs, number, decay)
        for network, rate, epochs, number, decay in (
            (shallow, 5e-3, 12, quantiles, 0.1),
            (shallow, 2e-3, 12, both, 0.3),
            (shallow, 5e-3, 20, coarse, 1.0),
            (deep, 3e-3, 12, quantiles, 0.1),
            (deep, 1e-3, 8, both, 0.3),
            (deep, 2e-3, 20, waves, 0.1),
            (few, 5e-3, 12, quantiles, 0.1),
            (few, 3e-3, 16, both, 0.3),
            (several, 3e-3, 12, both, 0.1),
            (several, 2e-3, 16, waves, 0.3),
        )
    ]


def _quick(kind: str, network: Entry, rate: float, epochs: int, number: Entry, decay: float) -> Entry:
    techniques = {**ALWAYS, "scale_numbers": {}, "encode_categories": {}, **number, **_last(kind)}
    techniques |= {"dropout": {"rate": 0.1}, "weight_decay": {"amount": decay}, "one_cycle": {}}
    return {
        "network": network,
        "optimizer": {"name": "adamw", "learning_rate": rate},
        "techniques": {**techniques, "weight_averaging": {}, "early_stopping": {}},
        "budget": {"epochs": 2 * epochs if kind == "regress" else epochs},
        "blend": {"model": "none"},
    }


def drawn(kind: str, random: np.random.Generator) -> Entry:
    """One entry, each part drawn by itself; slow parts are small and few."""
    network = _network(random)
    optimizer = {"name": str(random.choice(["adamw", "muon", "adam"], p=[0.7, 0.2, 0.1]))}
    low, high = (5e-4, 8e-3) if kind == "classify" else (1e-3, 1.5e-2)
    optimizer["learning_rate"] = float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.2g}")
    epochs = int(random.choice([8, 12, 20, 30, 40] if kind == "classify" else [20, 40, 80, 120]))
    epochs = min(epochs, _most_epochs(network, kind))
    return {
        "network": network,
        "optimizer": optimizer,
        "techniques": _techniques(kind, random),
        "budget": {"epochs": epochs},
        "blend": {"model": "trees" if random.random() < 0.2 else "none"},
    }


def _most_epochs(network: Entry, kind: str) -> int:
    """So many that a training takes a few seconds at most."""
    if network["name"] == "ft_transformer":
        return 12 if kind == "classify" else 20
    units = network["width"] * network["depth"] * network.get("members", 1)
    return (150_000 if kind == "classify" else 250_000) // units


def _network(random: np.random.Generator) -> dict[str, Any]:
    def one(*values: Any) -> Any:
        return values[random.integers(len(values))]

    name = str(random.choice(["tabm", "mlp", "resnet_table", "ft_transformer"], p=[0.4, 0.36, 0.18, 0.06]))
    match name:
        case "tabm":
            return {"name": name, "width": one(64, 128, 192), "depth": one(2, 3), "members": one(8, 8, 16)}
        case "mlp":
            shape = {
                "width": one(64, 128, 256),
                "depth": one(1, 2, 3),
                "activation": one("relu", "relu", "silu", "gelu"),
            }
            return {"name": name, **shape, "norm": one("none", "none", "layer", "batch"), "residual": one(False, True)}
        case "resnet_table":
            return {"name": name, "width": one(64, 128), "depth": one(1, 2, 3), "norm": one("batch", "layer")}
    return {"name": name, "width": one(16, 32), "depth": one(1, 2)}


def _techniques(kind: str, random: np.random.Generator) -> dict[str, dict[str, Any]]:
    def chance(share: float) -> bool:
        return bool(random.random() < share)

    def one(*values: Any) -> Any:
        return values[random.integers(len(values))]

    found: dict[str, dict[str, Any]] = dict(ALWAYS)
    found["scale_numbers"] = {"method": one("standard", "standard", "quantile")}
    method = str(random.choice(["auto", "embedding", "target", "one_hot"], p=[0.6, 0.1, 0.2, 0.1]))
    found["encode_categories"] = {"method": method}
    number = random.random()
    if number < 0.55:
        found["piecewise_linear"] = {
            "edges": one("both", "quantile", "tree"),
            "bins": one(12, 24, 48),
            "width": one(8, 16, 0),
        }
    elif number < 0.85:
        found["periodic"] = {"width": one(8, 16), "frequencies": one(16, 48), "spread": one(0.02, 0.1, 0.5)}
    schedule = str(random.choice(["cosine", "one_cycle", "none"], p=[0.45, 0.45, 0.1]))
    optional = {
        "clip_outliers": ({}, 0.15),
        "interactions": ({}, 0.2),
        "cross_categories": ({}, 0.25),
        schedule: ({}, float(schedule != "none")),
        "dropout": ({"rate": one(0.1, 0.1, 0.2, 0.3)}, 0.8),
        "weight_decay": ({"amount": one(0.03, 0.1, 0.3, 1.0)}, 0.85),
        "mixup": ({"alpha": one(0.1, 0.2, 0.5)}, 0.2),
        "sam": ({}, 0.1),
        "gradient_clipping": ({}, 0.8),
        "weight_averaging": ({"decay": one(0.99, 0.995)}, 0.65),
        "label_smoothing": ({"amount": one(0.03, 0.1)}, 0.15 * (kind == "classify")),
        "early_stopping": ({"patience": one(8, 16)}, 1.0),
    }
    found |= {name: settings for name, (settings, share) in optional.items() if chance(share)}
    return found | _last(kind)


def _last(kind: str) -> dict[str, dict[str, Any]]:
    return {"temperature": {}} if kind == "classify" else {"scale_target": {}}
