"""What a notebook shows of a run: its verdict and scores, and the charts of its report as figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aurify.core.words import said
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.marked import legend, marked
from aurify.report.overlaid import legend as legend_of_heat
from aurify.report.overlaid import overlaid, pictures
from aurify.report.page import environment, spoken
from aurify.report.section import Block, Chapter, Figure, Inspection, Paragraph, Record, Rows, chapters
from aurify.report.values import share

if TYPE_CHECKING:
    import numpy as np

WIDTH = 480
"""Of a chart that stands in a notebook, in pixels."""


class Plots:
    """The charts of a run's report, each a function that makes an Altair figure: ``run.plot.scores().save("x.png")``.

    ``dir(run.plot)`` names those that the run has.
    """

    def __init__(self, record: Callable[[], Inspection]):
        self._make = record

    @cached_property
    def _record(self) -> Inspection:
        return self._make()

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        return {name: figure for chapter in chapters(self._record) for name, figure in chapter.figures.items()}

    def __dir__(self) -> list[str]:
        return list(self._figures)

    def __getattr__(self, name: str) -> Callable[[], Any]:
        if name.startswith("_") or name not in self._figures:
            raise AttributeError(f"this run has no chart {name!r}; it has {', '.join(self._figures)}")
        return lambda: _altair(self._figures[name], self._record)

    def __repr__(self) -> str:
        return f"<charts of a run: {', '.join(self._figures)}>"


def _altair(figure: Figure, record: Inspection) -> Any:
    import altair

    plain = {
        **spoken(figure.chart, record),
        "width": WIDTH,
        "config": charts.theme(),
        "description": str(figure.described),
    }
    return altair.Chart.from_dict(plain)


def scores_of(record: Record) -> str:
    """The verdict and the table of every score, as HTML."""
    shown: list[Chapter] = [chapter for chapter in chapters(record) if chapter.name == "scores"]
    tables = [block for chapter in shown for block in chapter.blocks if isinstance(block, Rows)]
    return (
        environment(record.say)
        .get_template("scores.html")
        .render(verdict=record.summary["verdict"], tables=tables, path=record.folder.path)
    )


def marked_texts(rows: Sequence[Mapping[str, Any]], *, of_classes: bool) -> str:
    """Explained rows with their words marked, as HTML."""
    shown: list[Block] = [*legend()]
    for row in rows:
        shown += [Paragraph(_answered(row)), *marked(row, of_classes=of_classes)]
    return environment(str).get_template("words.html").render(shown=shown)


def explained_images(
    rows: Sequence[Mapping[str, Any]],
    images: np.ndarray,
    looks: Sequence[tuple[np.ndarray, np.ndarray]] | None,
    *,
    of_classes: bool,
) -> str:
    """Explained images (N, H, W, C) with the heat over them, as HTML; ``looks`` as of ``section.Tested``."""
    shown: list[Block] = [legend_of_heat(of_classes)]
    for image, row, look in zip(images, rows, looks or [None] * len(rows), strict=True):
        shown += [
            Paragraph(_answered(row)),
            *pictures(overlaid(image, row, look, of_classes=of_classes), of_classes=of_classes),
        ]
    return environment(str).get_template("words.html").render(shown=shown)


def _answered(row: Mapping[str, Any]) -> str:
    if isinstance(row["prediction"], str):
        return said("{name} ({share})", name=row["prediction"], share=share(row["answer"]))
    return number(row["prediction"])
