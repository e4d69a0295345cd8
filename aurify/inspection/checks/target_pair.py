"""Two columns that decide the target together, though neither does alone."""

# m rows looked at, a numbers, b categories, K classes

from __future__ import annotations

import shlex
from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, SEVERE, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.class_pairs import class_suspects, error
from aurify.inspection.inspected import Inspected
from aurify.inspection.number_pairs import number_suspects, unexplained
from aurify.inspection.pair_suspect import Suspect
from aurify.inspection.places import Place, half_of, only, places_of

FEWEST_ROWS = 40
"""With fewer, one half proves nothing."""

MOST_ROWS = 6_000
"""Rows that rules are found and proved on: an interval of half a percent."""

FEWEST_OF_WIDE = 1_500
MOST_CELLS = 500_000
"""Cells that every column is first judged alone by: of a wide table fewer rows, as long as they prove something."""

MOST_COLUMNS = 400
"""Columns of which every pair is looked at."""

LEAST_TOLD = 0.75
"""What a pair must tell by the lower end of its interval: a class of a few rows proves nothing."""

MOST_TOLD = 3
"""Pairs that are told of; the same columns are not told of twice."""


class TargetPair(Check):
    """Pairs of columns that give the target away together, far beyond what the other columns can say."""

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if len(seen.sample) < FEWEST_ROWS:
            return
        most = min(MOST_ROWS, max(FEWEST_OF_WIDE, MOST_CELLS // max(1, len(seen.columns))))
        rows = seen.drawn(len(seen.sample), most, "inspect/pairs")
        few = seen.sampled.take(rows)
        places = places_of(seen, few)
        if len(places) < 3 or len(np.unique(few.target)) < 2:
            return
        chosen = [places[at] for at in seen.drawn(len(places), MOST_COLUMNS, "inspect/pairs of columns")]
        if len(chosen) < len(places):
            text = said("pairs of {most:,} of {count:,} columns were looked at", most=MOST_COLUMNS, count=len(places))
            yield self.found(NOTE, text)
        find = half_of(few.target, seen.seed)
        numbers = few.numbers[:, [place.at for place in chosen if place.number]]
        codes = few.codes[:, [place.at for place in chosen if not place.number]]
        if seen.classes is None:
            suspects = number_suspects(numbers, few.target, find)
        else:
            suspects = class_suspects(numbers, codes, few.target, find)
        pairs = [(suspect, [chosen[at] for at in suspect.pair]) for suspect in _apart(suspects)]
        taken = {place for _, pair in pairs for place in pair}
        others = [place for place in places if place not in taken]
        if pairs and others:
            yield from self._told(seen, pairs, others, rows[~find])

    def _told(
        self, seen: Inspected, pairs: list[tuple[Suspect, list[Place]]], others: list[Place], prove: np.ndarray
    ) -> Iterable[Finding]:
        """Those that say far more than every column beside them."""
        rest, target = 1.0, seen.sampled.target[prove]
        for model in ("boosting", "linear"):
            answers = seen.answers_of(only(seen.sampled, others), model)[prove]
            if seen.classes is None:
                left = unexplained(target - answers, target)
            else:
                left = error(answers.argmax(1) != target, target)
            rest = min(rest, left)
        for suspect, pair in pairs:
            if suspect.ends(unexplained if seen.classes is None else error)[0] < LEAST_TOLD:
                continue
            if suspect.times * suspect.left <= rest:
                yield self._finding(seen, suspect, [place.name for place in pair], rest, len(prove))

    def _finding(self, seen: Inspected, suspect: Suspect, names: list[str], rest: float, rows: int) -> Finding:
        first, second = names
        low, high = suspect.ends(unexplained if seen.classes is None else error)
        return self.found(
            SEVERE,
            said(
                "{first!r} and {second!r} together give {target!r} away: {form} tells {told:.2%} of it"
                " (95% interval {low:.2%} to {high:.2%}) in {rows:,} rows kept aside, each alone {alone:.0%} at most,"
                " the other columns {rest:.0%}",
                first=first,
                second=second,
                target=seen.schema.target,
                form=suspect.form,
                told=1 - suspect.left,
                low=low,
                high=high,
                rows=rows,
                alone=max(0.0, 1 - suspect.alone),
                rest=max(0.0, 1 - rest),
            ),
            fix=said(
                "leave out what is not known when the model is asked: --drop {first} --drop {second}",
                first=shlex.quote(first),
                second=shlex.quote(second),
            ),
            columns=names,
            weight=1 - suspect.left,
            evidence={
                "told": 1 - suspect.left,
                "low": low,
                "high": high,
                "alone": 1 - suspect.alone,
                "other_columns": 1 - rest,
                "rows": rows,
            },
            mend={"techniques": {"exclude_columns": {"columns": names}}},
            exhibits=[_bars(suspect, rest)],
        )


def _bars(suspect: Suspect, rest: float) -> Exhibit:
    data = {
        "names": [said("both together"), said("the better of the two alone"), said("all other columns")],
        "values": [1 - suspect.left, 1 - suspect.alone, 1 - rest],
        "low": None,
        "high": None,
        "axis": said("share of the target that is told"),
        "reference": None,
    }
    return Exhibit(kind="bars", caption=said("how much of the target is told"), data=data)


def _apart(suspects: list[Suspect]) -> list[Suspect]:
    """The surest, of which no two share a column."""
    told: list[Suspect] = []
    for suspect in suspects:
        if len(told) < MOST_TOLD and not any(set(suspect.pair) & set(other.pair) for other in told):
            told.append(suspect)
    return told
