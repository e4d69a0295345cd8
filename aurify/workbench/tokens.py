"""How the texts of rows look to a model: how many tokens are kept of them, and how many it does not know."""

from __future__ import annotations

from typing import Any

import numpy as np

from aurify.core.ragged import UNKNOWN, Ragged
from aurify.data import prepare
from aurify.data.store import Asked
from aurify.ship.bundle import Bundle

MOST_ROWS = 5000


def tokens_told(bundle: Bundle, asked: Asked) -> dict[str, Any] | None:
    """Of the first member that reads tokens: its ``vocabulary``, the ``most`` tokens it keeps of a row, and of up to
    ``MOST_ROWS`` of the rows asked about that have a text the ``lengths`` (M,) and the share of ``unknown`` tokens.

    None where no member reads tokens. ``most`` is None where no step says so.
    """
    given = asked.rows[asked.inputs["texts"].lengths[asked.rows].sum(axis=1) > 0]
    if not len(given):
        return None
    rows = given[np.linspace(0, len(given) - 1, min(len(given), MOST_ROWS)).astype(np.int64)]
    for member in bundle.members:
        known = prepare.raw_inputs(bundle.schema)
        for layer in member.layers:
            known = layer.inputs(known)
        if member.network is None or "tokens" not in known:
            continue
        tokens = prepare.apply(member.layers, asked.inputs, rows)["tokens"]
        if not isinstance(tokens, Ragged):
            continue
        limits = [layer.config["length"] for layer in member.layers if isinstance(layer.config.get("length"), int)]
        values = tokens.values.numpy()
        return {
            "vocabulary": known["tokens"].cardinalities[0],
            "most": min(limits) if limits else None,
            "lengths": tokens.lengths[:, 0].numpy(),
            "unknown": float((values == UNKNOWN).mean()) if len(values) else 0.0,
        }
    return None
