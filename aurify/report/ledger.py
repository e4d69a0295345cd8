"""What the page and the terminal say of a ledger alike: its rows by design, their intervals and verdicts in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aurify.core.words import Said, in_a_row, listed, said
from aurify.measure.verdict import number
from aurify.report import ledger_agents
from aurify.report.values import shown
from aurify.report.words import interval, metric_name

Ledger = Mapping[str, Any]
Effect = Mapping[str, Any]

DESIGNS = {
    "leave_one_out": said("Each ingredient taken out of the recipe"),
    "add_one": said("Each put into the recipe"),
    "cumulative": said("From bare to the recipe, one after another"),
    "family": said("Whole families taken out of the recipe"),
    "interaction": said("What two are worth together beyond what each is worth alone"),
    "sweep": said("Other values of the settings"),
}
"""How rows were measured, in the order in which they are shown."""

HELPS, HURTS, EVEN, IDENTICAL, FAILED = "helps", "hurts", "no measurable difference", "identical", "failed"

VERDICTS = {
    HELPS: said("helps"),
    HURTS: said("hurts"),
    EVEN: said("no measurable difference"),
    IDENTICAL: said("identical"),
}
"""Verdicts of rows that have numbers."""

MOST_NAMED = 8
"""Ingredients that one sentence names; the others are counted."""

LONGEST = 60
"""Letters of an ingredient's name that are shown."""


def rows_of(ledger: Ledger, design: str) -> list[Effect]:
    """The rows of one design; ingredients one by one are sorted by gain, what has an order of its own is not."""
    found = [effect for effect in ledger["effects"] if effect["design"] == design]
    if design in ("cumulative", "sweep"):
        return found
    return sorted(found, key=lambda effect: math.inf if effect["gain"] is None else -effect["gain"])


def measured(effects: Iterable[Effect]) -> list[Effect]:
    """The rows that have numbers."""
    return [effect for effect in effects if effect["gain"] is not None]


def ingredient(effect: Effect) -> str:
    """What a row is about, visible and not longer than can be read beside others."""
    return ingredient_name(effect["technique"])


def ingredient_name(name: str) -> str:
    """An ingredient's name, visible and not longer than can be read beside others."""
    seen = shown(name)
    return seen if len(seen) <= LONGEST else f"{seen[:LONGEST]}…"


def row_name(effect: Effect) -> str:
    """An ingredient, and of a sweep the value that it was tried at."""
    name = ingredient(effect)
    return name if effect["design"] != "sweep" else f"{name}={ingredient_name(str(effect['value']))}"


def gain(effect: Effect) -> str:
    """``+0.0021 [-0.0012, +0.0054]``, with the plain 95 % interval."""
    return interval({"value": effect["gain"], "low": effect["low"], "high": effect["high"]}, signed=True)


def verdict(effect: Effect) -> Said:
    """A row's verdict in words, which never claim that there is no effect."""
    word = effect["verdict"]
    if word == FAILED:
        return said("could not be measured")
    if word == IDENTICAL:
        return said("identical: the same score in every pair")
    if word != EVEN:
        return VERDICTS[word]
    if effect["bound"] is None:
        return said("no measurable difference (the same in every pair)")
    return said("no measurable difference (smaller than {bound})", bound=at_most(effect["bound"]))


def at_most(value: float) -> str:
    """Two digits of a number, rounded up: what is smaller than the number is smaller than they say.

    >>> at_most(0.0041), at_most(0.00412), at_most(1234.0), at_most(0.0)
    ('0.0041', '0.0042', '1,300', '0')
    """
    if value <= 0:
        return "0"
    places = 1 - math.floor(math.log10(value))
    scaled = value * 10.0**places
    # what is written with two digits is not raised for the last bit of its product
    raised = round(scaled) if abs(scaled - round(scaled)) < 1e-9 * scaled else math.ceil(scaled)
    if places > 8:
        return f"{raised / 10.0**places:.1e}"
    text = f"{raised / 10.0**places:,.{max(0, places)}f}"
    return text.rstrip("0").rstrip(".") if places > 0 else text


def summary(ledger: Ledger) -> Said:
    """How many ingredients help, how many hurt, and of how many no difference could be measured."""
    design = next((name for name in DESIGNS if rows_of(ledger, name)), None)
    if design is None:
        return said("The recipe has no ingredient to switch on or off: nothing was measured.")
    effects = rows_of(ledger, design)
    by = {word: [e for e in effects if e["verdict"] == word] for word in (*VERDICTS, FAILED)}
    return said(
        "{what} ({count:,}): {verdicts}.",
        what=DESIGNS[design],
        count=len(effects),
        verdicts=listed([_counted(design, word, found) for word, found in by.items() if found]),
    )


def _counted(design: str, word: str, found: Sequence[Effect]) -> Said:
    count, names = len(found), _named([row_name(effect) for effect in found])
    if design == "interaction" and word == HELPS:
        return said("{count:,} worth measurably more together ({names})", count=count, names=names)
    if design == "interaction" and word == HURTS:
        return said("{count:,} worth measurably less together ({names})", count=count, names=names)
    if word == HELPS:
        return said("{count:,} measurably better with it ({names})", count=count, names=names)
    if word == HURTS:
        return said("{count:,} measurably worse with it ({names})", count=count, names=names)
    if word == IDENTICAL:
        return said("{count:,} with the same score in every pair ({names})", count=count, names=names)
    if word == FAILED:
        return said("{count:,} that could not be measured ({names})", count=count, names=names)
    return said("{count:,} without a measurable difference ({names})", count=count, names=names)


def _named(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMED:
        return listed(names, ",")
    first = listed(names[:MOST_NAMED], ",")
    return said("{names} and {count:,} more", names=first, count=len(names) - MOST_NAMED)


def of_agents(ledger: Ledger) -> bool:
    """Whether what was trained acts in a world: pairs are seeds then, and nothing is a row."""
    return ledger.get("examples") == "episodes"


def estimand(ledger: Ledger) -> str:
    """What every gain is an estimate of, and how sure its interval is."""
    if of_agents(ledger):
        return ledger_agents.estimand(ledger)
    told = said(
        "A gain is the mean difference in {metric} between two recipes, over training sets of {rows:,} rows and over"
        " seeds; above 0 is better.",
        metric=metric_name(ledger["metric"]),
        rows=ledger["learnt"],
    )
    approximate = said(
        "Intervals are approximate: training sets of folds overlap, so that no unbiased variance exists (Bengio &"
        " Grandvalet 2004); it is corrected after Nadeau & Bengio (2003)."
    )
    return in_a_row([told, approximate])


def reference(ledger: Ledger) -> Said:
    """What the recipe itself scores and takes."""
    if of_agents(ledger):
        return ledger_agents.reference(ledger)
    found = ledger["reference"]
    return said(
        "The recipe itself scores {score} in {metric} on average and takes {seconds} s a training.",
        score=number(found["score"]),
        metric=metric_name(ledger["metric"]),
        seconds="–" if found["seconds"] is None else f"{found['seconds']:,.1f}",
    )


def caps(ledger: Ledger) -> str:
    """On how much data and for how long was trained, beside what the recipe would take by itself."""
    if of_agents(ledger):
        return ledger_agents.caps(ledger)
    sentences: list[str] = [
        said(
            "Each training took at most {steps:,} steps and learnt from {learnt:,} of {rows:,} usable rows; {held:,}"
            " were held out for stopping and {tested:,} scored.",
            steps=ledger["steps"],
            learnt=ledger["learnt"],
            rows=ledger["rows"],
            held=ledger["held"],
            tested=ledger["tested"],
        )
    ]
    if not ledger["full"] and ledger["steps"] < ledger["planned"]:
        sentences.append(
            said(
                "Uncapped, the recipe would take up to {planned:,} steps on so many rows: what pays only after long"
                " training is not seen here; --full lifts the caps.",
                planned=ledger["planned"],
            )
        )
    elif not ledger["full"]:
        sentences.append(said("--full lifts all caps."))
    sentences += _order(ledger["by"])
    if (most := ledger_agents.most_beside(ledger)) > 1:
        sentences.append(
            said(
                "Up to {most} trainings of one recipe went side by side, as one program; seconds are of those that went"
                " alone.",
                most=most,
            )
        )
        sentences += ledger_agents.pace_told(ledger)
    return in_a_row([*sentences, said("The test part was not touched.")])


def _order(by: str) -> list[str]:
    """How folds are drawn where rows are not drawn one by one."""
    kind, _, column = by.partition(":")
    if kind == "group":
        return [said("Rows with the same {column} are in one fold together.", column=shown(column))]
    if kind == "time":
        return [said("Each fold is scored on later {column} than it learnt from.", column=shown(column))]
    return []


def power(ledger: Ledger) -> str:
    """How many pairs stand behind the verdicts, how these are kept honest, and how small an effect they would find."""
    found = measured(ledger["effects"])
    if not found:
        return said("No row has numbers.")
    numbers, every = [effect["pairs"] for effect in found], len(ledger["effects"])
    pairs = _from_to(min(numbers), max(numbers))
    sentences: list[str] = [
        said("Pairs of agents with the same seed: {pairs} a row.", pairs=pairs)
        if of_agents(ledger)
        else said(
            "Pairs of trainings on the same rows with the same seed, in repeats of {folds} folds: {pairs} a row.",
            folds=ledger["folds"],
            pairs=pairs,
        )
    ]
    if every > 1:
        sentences.append(said("Verdicts hold for all {rows:,} rows of the ledger together (Holm, 5 %).", rows=every))
    if ledger["apart"] and not of_agents(ledger):
        sentences.append(said("Repeats share no row, and count as independent."))
    seen = [effect["sees"] for effect in found if effect["sees"]]
    if seen:
        sentences.append(
            said(
                "9 of 10 such ledgers would find an effect of {least} in the row with the least spread, and one of"
                " {most} in that with the most; {worth} is the least that counts as worth knowing.",
                least=at_most(min(seen)),
                most=at_most(max(seen)),
                worth=at_most(ledger["worth"]),
            )
        )
    return in_a_row(sentences)


def _from_to(least: int, most: int) -> str:
    return f"{least}" if least == most else said("{least} to {most}", least=least, most=most)
