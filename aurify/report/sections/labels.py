"""How a model does on each of several labels, and the rows that it is most wrong about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.labels import label_rows, most_wrong
from aurify.measure.verdict import number
from aurify.report.section import Block, Paragraph, Record, Rows, Section, Tested
from aurify.report.words import interval


class Labels(Section):
    """Precision, recall, F1 and ROC AUC of each label with intervals, and the most wrong rows."""

    order = 505

    @property
    def title(self) -> Said:
        return said("How it does on each label")

    def measure(self, tested: Tested) -> Any:
        model, store = tested.model, tested.store
        if not model.several or model.probabilities is None:
            return None
        wrong = most_wrong(model)
        for each in wrong:
            each["in_test_file"] = bool(store.test[each["row"]])
            # a row id goes on counting where the data end and the test file begins
            each["place"] = int((store.test[: each["row"]] == each["in_test_file"]).sum())
        found = label_rows(model, seed=tested.recipe.seed, clusters=tested.clusters)
        return {"labels": found, "of": len(model.classes or ()), "rows": len(model), "wrong": wrong}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        blocks: list[Block] = [_table(measured)]
        return [
            *blocks,
            Paragraph(_about(measured["wrong"])),
            *([_wrong(measured["wrong"])] if measured["wrong"] else []),
        ]


def _table(measured: Mapping[str, Any]) -> Rows:
    found = measured["labels"]
    caption = said(
        "Each label with 95 % intervals. Precision: of the rows said to hold it, the share that do. Recall: of the rows"
        " that hold it, the share said to. ROC AUC: whether rows that hold it are ranked above those that do not."
    )
    if len(found) < measured["of"]:
        caption = said("{caption} Of {count:,} labels the worst in F1.", caption=caption, count=measured["of"])
    return Rows(
        header=[
            said("label"),
            said("precision"),
            said("recall"),
            said("F1"),
            said("ROC AUC"),
            said("rows that hold it"),
            said("rows said to"),
        ],
        rows=[
            [
                each["class"],
                *(interval(each[metric]) for metric in ("precision", "recall", "f1", "area")),
                _count(each["support"]),
                _count(each["predicted"]),
            ]
            for each in found
        ],
        caption=caption,
    )


def _about(wrong: Sequence[Mapping[str, Any]]) -> Said:
    if not wrong:
        return said("No label of the rows with the largest loss was answered wrongly.")
    return said("The most wrong rows: those whose labels were given the least probability, taken together.")


def _wrong(wrong: Sequence[Mapping[str, Any]]) -> Rows:
    return Rows(
        header=[said("row"), said("holds"), said("said to hold"), said("furthest off"), said("its probability")],
        rows=[
            [_row(each), ", ".join(each["held"]), ", ".join(each["told"]), each["worst"], number(each["probability"])]
            for each in wrong
        ],
        numbers=False,
    )


def _row(found: Mapping[str, Any]) -> str:
    place = f"{found['place']:,}"
    return said("{row} (test file)", row=place) if found["in_test_file"] else place


def _count(rows: float) -> str:
    """Rows, or their weight."""
    return f"{rows:,.0f}" if rows == round(rows) else f"{rows:,.1f}"
