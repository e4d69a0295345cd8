"""Images with what an answer hangs on: as they are, under the heat of Grad-CAM, and under that of covered patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aurify.core.words import Said, said
from aurify.measure.verdict import number
from aurify.report.pictures import Gallery, Picture, Strip
from aurify.report.section import Block, Paragraph
from aurify.report.thumbnails import heated, picture, scale_of, thumbnail
from aurify.report.values import share, shown

FAINT = 0.1
"""Log-odds below which even the strongest patch of an image is not shown as strong."""

WHERE = (
    (said("upper left"), said("top"), said("upper right")),
    (said("left"), said("middle"), said("right")),
    (said("lower left"), said("bottom"), said("lower right")),
)


def overlaid(
    image: np.ndarray,
    found: Mapping[str, Any],
    look: tuple[np.ndarray, np.ndarray] | None,
    *,
    of_classes: bool,
    faint: float = FAINT,
) -> dict[str, Any]:
    """The pictures of one image (H, W, C), of what ``covered_patches`` found of it and of a ``look`` at it, as data.

    The patch that matters most goes along, so that words can tell of it. Effects below ``faint`` are never strong.
    """
    effects, without = np.array(found["effects"]), np.array(found["without"])
    strongest = max(float(np.abs(effects).max()), faint)
    at = np.unravel_index(int(np.argmax(effects if of_classes else np.abs(effects))), effects.shape)
    told = {k: v for k, v in found.items() if k not in ("effects", "without")}
    return {
        **told,
        "image": thumbnail(image),
        "covered": thumbnail(heated(image, effects, strongest)),
        "look": None if look is None else thumbnail(heated(look[0], look[1], float(look[1].max()))),
        "nothing": look is not None and not look[1].any(),
        "strongest": {
            "down": int(3 * at[0] / effects.shape[0]),
            "across": int(3 * at[1] / effects.shape[1]),
            "effect": float(effects[at]),
            "without": float(without[at]),
        },
    }


def how(of_classes: bool, looks: bool) -> list[Said]:
    """What is measured."""
    covered = (
        said(
            "Covered: each part of an image was covered with its mean colour in turn and the model asked again"
            " (occlusion). Blue parts speak for the answer, which is less likely without them; orange ones speak"
            " against it. The deeper, the larger the change of the log-odds."
        )
        if of_classes
        else said(
            "Covered: each part of an image was covered with its mean colour in turn and the model asked again"
            " (occlusion). Blue parts make the number higher, orange ones lower; the deeper, the more."
        )
    )
    look = said(
        "Looked at: where the last convolutions of the network see what speaks for the answer (Grad-CAM), the deeper"
        " the more; it is coarse, and tells of what the network reacts to, not of what would happen without it."
    )
    end = said("Each image has a scale of its own. They explain the model, not the world.")
    return [covered, *([look] if looks else []), end]


def legend(of_classes: bool) -> Gallery:
    """The colours and what they mean."""
    name = said("the scale of the colours, from orange to blue")
    told = said("against the answer ↔ for it") if of_classes else said("lower ↔ higher")
    return Gallery([Strip("", [picture(scale_of(), name, told, large=True)])])


def pictures(found: Mapping[str, Any], *, of_classes: bool) -> list[Block]:
    """One image and its heats beside it, and what its strongest part does."""
    where = WHERE[found["strongest"]["down"]][found["strongest"]["across"]]
    shown: list[Picture] = [picture(found["image"], said("the image as it is read"), said("the image"), large=True)]
    if found["look"] is not None:
        name = said("the image in gray, blue where the network sees what speaks for its answer")
        below = said("looked at: nothing speaks for it") if found["nothing"] else said("looked at")
        shown.append(picture(found["look"], name, below, large=True))
    name = (
        said("the image in gray, blue where it speaks for the answer and orange where it speaks against it")
        if of_classes
        else said("the image in gray, blue where it makes the number higher and orange where it makes it lower")
    )
    shown.append(picture(found["covered"], name, said("covered"), large=True))
    return [Gallery([Strip("", shown)]), Paragraph(_strongest(found, where, of_classes))]


def _strongest(found: Mapping[str, Any], where: Said, of_classes: bool) -> Said:
    effect, without = found["strongest"]["effect"], found["strongest"]["without"]
    if of_classes and effect <= 0:
        return said("No part that was covered speaks for the answer.")
    if not of_classes:
        return said(
            "Most hangs on a part ({where}): covered, {answer} becomes {without}.",
            where=where,
            answer=number(found["answer"]),
            without=number(without),
        )
    return said(
        "Most hangs on a part ({where}): covered, {name} falls from {answer} to {without}.",
        where=where,
        name=shown(found["prediction"]),
        answer=share(found["answer"]),
        without=share(without),
    )
