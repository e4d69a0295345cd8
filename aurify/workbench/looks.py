"""Where in images a model's network sees what speaks for its answers."""

# M rows, H height, W width, C channels, h x w of a coarser map

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from aurify.blocks.picture import PIXELS
from aurify.core.pixels import Pixels
from aurify.core.ragged import Ragged
from aurify.core.types import Input
from aurify.data import prepare
from aurify.measure.grad_cam import grad_cam
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member


def looks_of(
    bundle: Bundle, inputs: Mapping[str, Any], of: np.ndarray | None
) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Of each row the image (H, W, C) uint8 as a network takes it in, and the heat (h, w) of Grad-CAM over it.

    ``of`` (M,) are the classes that the heat is for, None of numbers. Asked is the network with the largest share of
    the answer; None where there is none that looks at images with convolutions.
    """
    networks = sorted((m for m in bundle.members if m.network is not None), key=lambda m: -m.weight)
    member = networks[0] if networks else None
    name = None if member is None else _images_of(bundle, member)
    if member is None or member.network is None or name is None:
        return None
    with torch.no_grad():
        values = prepare.raw_values(inputs, slice(None))
        for layer in member.layers:
            values = layer(values)
        given = {k: _whole(v).to(bundle.device) for k, v in values.items()}
    codes = None if of is None else torch.from_numpy(np.asarray(of, dtype=np.int64)).to(bundle.device)
    heat = grad_cam(member.network, given, name, codes)
    if heat is None:
        return None
    return list(zip(given[name].cpu().numpy(), heat.float().cpu().numpy(), strict=True))


def _images_of(bundle: Bundle, member: Member) -> str | None:
    """The name of the images that a member's network takes in."""
    known: Mapping[str, Input] = prepare.raw_inputs(bundle.schema)
    for layer in member.layers:
        known = layer.inputs(known)
    return next((name for name, given in known.items() if given.kind == PIXELS), None)


def _whole(values: Any) -> torch.Tensor:
    if isinstance(values, Ragged):
        return values.padded()
    return values.taken() if isinstance(values, Pixels) else values
