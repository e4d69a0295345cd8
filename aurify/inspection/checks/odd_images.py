"""Images whose files are unlike nearly all others: of another kind of pixels, of another size, far too small."""

# n images

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.image_facts import ImageFacts
from aurify.data.image_form import Form
from aurify.inspection.check import Check
from aurify.inspection.image_exhibits import images_exhibit
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_images import facts_seen, of_images

NEARLY_ALL = 0.95
"""Of the images, that have one mode or one size, for the others to be odd."""

SMALL = 0.5
"""Of the sides that images are brought to, below which an image is far too small."""

LONG = 3.0
"""How many times longer than wide an image is, of which most is cut off."""

FEW = 0.01

KINDS = {
    **dict.fromkeys(("1", "L", "LA", "La", "I", "F"), "gray"),
    **dict.fromkeys(("RGB", "YCbCr", "LAB", "HSV", "RGBX"), "colours"),
    **dict.fromkeys(("RGBA", "RGBa", "PA"), "colours, partly transparent"),
    **dict.fromkeys(("P",), "a palette"),
    **dict.fromkeys(("CMYK",), "colours for print (CMYK)"),
    **dict.fromkeys(("I;16", "I;16B", "I;16L", "I;16N"), "gray of 16 bits"),
}
"""What modes of Pillow are."""


class OddImages(Check):
    """Files of images against one another: what few of them are, all others not, says how they were made."""

    needs = frozenset({Trait.IMAGES})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        image = seen.schema.image
        if image is None or not seen.images:
            return
        facts, rows = seen.once(facts_seen), seen.once(of_images)
        rows = rows[facts.known[rows]]
        if not len(rows):
            return
        form = Form.of(image.format)
        yield from self._modes(seen, facts, rows)
        yield from self._sizes(seen, facts, rows)
        yield from self._small(seen, facts, rows, form)
        if form.aspect == "crop":
            yield from self._long(seen, facts, rows)

    def _modes(self, seen: Inspected, facts: ImageFacts, rows: np.ndarray) -> Iterable[Finding]:
        kinds = np.array([KINDS.get(mode, mode) for mode in facts.modes[rows].tolist()])
        names, which, counts = np.unique(kinds, return_inverse=True, return_counts=True)
        most = int(counts.argmax())
        if len(names) == 1 or counts[most] < NEARLY_ALL * len(rows):
            return
        odd = np.flatnonzero(which != most)
        text = said(
            "{rows:,} images ({share:.2%}) are not of {usual} as all others are, but of {others}",
            rows=len(odd),
            share=len(odd) / len(rows),
            usual=_kind(str(names[most])),
            others=", ".join(
                f"{_kind(str(n))} ({c:,})" for n, c in zip(names, counts, strict=True) if n != names[most]
            ),
        )
        yield self._odd(seen, NOTE, text, rows[odd], len(rows), said("images of another kind"), facts)

    def _sizes(self, seen: Inspected, facts: ImageFacts, rows: np.ndarray) -> Iterable[Finding]:
        sides, which, counts = np.unique(facts.sides[rows], axis=0, return_inverse=True, return_counts=True)
        most = int(counts.argmax())
        if len(sides) == 1 or counts[most] < NEARLY_ALL * len(rows):
            return
        odd = np.flatnonzero(which.reshape(-1) != most)
        text = said(
            "{rows:,} images ({share:.2%}) do not have {width} x {height} pixels as all others do",
            rows=len(odd),
            share=len(odd) / len(rows),
            width=int(sides[most, 0]),
            height=int(sides[most, 1]),
        )
        yield self._odd(seen, NOTE, text, rows[odd], len(rows), said("images of another size"), facts)

    def _small(self, seen: Inspected, facts: ImageFacts, rows: np.ndarray, form: Form) -> Iterable[Finding]:
        odd = rows[(facts.sides[rows] < SMALL * np.array([form.width, form.height])).all(1)]
        if not len(odd):
            return
        share = len(odd) / len(rows)
        text = said(
            "{rows:,} images ({share:.2%}) are less than half as wide and high as the {width} x {height} pixels that"
            " all are brought to",
            rows=len(odd),
            share=share,
            width=form.width,
            height=form.height,
        )
        severity = WARNING if share >= FEW else NOTE
        fix = said("look for larger versions, or take these out; --size makes all smaller")
        yield self._odd(seen, severity, text, odd, len(rows), said("images that are far too small"), facts, fix=fix)

    def _long(self, seen: Inspected, facts: ImageFacts, rows: np.ndarray) -> Iterable[Finding]:
        sides = facts.sides[rows]
        odd = rows[sides.max(1) >= LONG * sides.min(1)]
        if not len(odd):
            return
        share = len(odd) / len(rows)
        text = said(
            "{rows:,} images ({share:.2%}) are at least three times longer than they are wide, or wider: most of each"
            " is cut off",
            rows=len(odd),
            share=share,
        )
        severity = WARNING if share >= FEW else NOTE
        fix = said("keep all of them with --aspect pad")
        yield self._odd(seen, severity, text, odd, len(rows), said("images that are cut most"), facts, fix=fix)

    def _odd(
        self,
        seen: Inspected,
        severity: str,
        text: str,
        odd: np.ndarray,
        count: int,
        caption: str,
        facts: ImageFacts,
        *,
        fix: str = "",
    ) -> Finding:
        beside = {r: f"{facts.modes[r]} {facts.sides[r, 0]} x {facts.sides[r, 1]}" for r in odd[:24].tolist()}
        return self.found(
            severity,
            text,
            fix=fix if severity == WARNING else "",
            columns=[column.name for column in [seen.schema.image] if column is not None],
            rows=odd,
            weight=len(odd) / count,
            evidence={"share": len(odd) / count, "looked_at": count},
            exhibits=[images_exhibit(seen, caption, [odd.tolist()], beside)],
        )


def _kind(name: str) -> str:
    match name:
        case "gray":
            return said("gray")
        case "colours":
            return said("colours")
        case "colours, partly transparent":
            return said("colours, partly transparent")
        case "a palette":
            return said("a palette")
        case "colours for print (CMYK)":
            return said("colours for print (CMYK)")
        case "gray of 16 bits":
            return said("gray of 16 bits")
    return name
