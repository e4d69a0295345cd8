"""What an agent makes of every state, where the model of the world tells what is right: values and actions."""

# S states, K actions, H rows and W columns of a grid

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.report.grid_maps import ARROWS, figure_of, place
from aurify.report.section import Block, Folded, Paragraph, Played, Record, Rows, Section
from aurify.report.values import amount, share
from aurify.worlds.exact import Exact, Model, model_of, policy_values, reached, solve
from aurify.worlds.layout import layout_of

MOST_CELLS = 400
"""Cells of a grid that can be read."""

MOST_STATES = 100_000

LONGEST_SIGHT = 0.999
"""The discount at most: without one values of those who walk in circles have no end."""

CLOSE = 1e-6
"""Of the largest value: actions that are worse by less are as good."""


class States(Section):
    """The shipped agent's policy beside the optimal one, state by state: drawn, where they lie on a grid."""

    order = 450
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("What the agent makes of every state")

    def measure(self, tested: Played) -> Any:
        model = model_of(tested.world)
        if model is None or len(model.start) > MOST_STATES:
            return None
        gamma = min(tested.recipe.task.settings()["gamma"], LONGEST_SIGHT)
        try:
            best = solve(model, gamma)
        except AurifyError:  # no values that could be compared
            return None
        states = np.arange(len(model.start))
        chances = tested.answer(tested.best, states)
        own = tested.values(tested.best, states) if Trait.VALUES in tested.recipe.task.traits else None
        return _measured(tested, model, best, chances, own, gamma)

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        blocks: list[Block] = [Paragraph(_agrees(measured))]
        if (grid := measured["grid"]) is None:
            return blocks
        values = [v for name in ("agent", "optimal", "own") for v in grid[name]["values"] if v is not None]
        ends = min(values), max(values)
        agent = said(
            "What each state is worth if the shipped agent goes on from there, by the model of the world: number and"
            " colour are what is still returned on average, a step later counted {gamma} times; the arrow is what it"
            " does. ◆ is a goal, × a trap; grey is never entered.",
            gamma=f"{measured['gamma']:g}",
        )
        optimal = said("The same of who does always what is best, found by value iteration.")
        blocks += [
            figure_of(record, "policy_map", grid, "agent", ends, agent),
            figure_of(record, "optimal_map", grid, "optimal", ends, optimal),
        ]
        if grid["own"]["actions"]:
            own = said(
                "What the agent itself expects: the value of its best action (the largest Q-value). Where it hardly"
                " ever was, that may be far from what is true."
            )
            blocks.append(figure_of(record, "value_map", grid, "own", ends, own))
            blocks.append(Folded(said("Every Q-value"), [_q_table(grid)]))
        return blocks


def _measured(
    tested: Played, model: Model, best: Exact, chances: np.ndarray, own: np.ndarray | None, gamma: float
) -> dict[str, Any]:
    policy = chances.argmax(1)
    counted = reached(model) & ~_last(model)
    lost = best.values - best.actions[np.arange(len(policy)), policy]
    alike = lost <= CLOSE * max(1.0, float(np.abs(best.values).max()))
    return {
        "states": len(policy),
        "counted": int(counted.sum()),
        "alike": int((alike & counted).sum()),
        "worst": float(lost[counted].max()) if counted.any() else 0.0,
        "gamma": gamma,
        "grid": _grid(tested, model, best, policy, own, gamma),
    }


def _last(model: Model) -> np.ndarray:
    """Whether an episode ends (S,) by coming to a state."""
    last = np.zeros(len(model.start), dtype=bool)
    last[model.after[(model.chance > 0) & model.ends]] = True
    return last


def _grid(
    tested: Played, model: Model, best: Exact, policy: np.ndarray, own: np.ndarray | None, gamma: float
) -> dict[str, Any] | None:
    """Cells, values and actions as a page draws them; None where the states lie on no grid, or on a vast one."""
    layout = layout_of(tested.world, model)
    if layout is None or layout.kinds.size > MOST_CELLS:
        return None
    acts = reached(model) & ~_last(model)
    values = policy_values(model, policy, gamma)
    return {
        "kinds": ["".join(row) for row in layout.kinds.tolist()],
        "ways": [list(way) for way in layout.ways],
        "agent": _cells(values, policy, acts),
        "optimal": _cells(best.values, best.policy, acts),
        "own": {"values": [], "actions": []} if own is None else _cells(own.max(1), own.argmax(1), acts),
        "q": [] if own is None else own.tolist(),
    }


def _cells(values: np.ndarray, policy: np.ndarray, acts: np.ndarray) -> dict[str, list[Any]]:
    """Values and actions (S,) of the states in which there is something to do; null of the others."""
    return {
        "values": [float(v) if on else None for v, on in zip(values, acts, strict=True)],
        "actions": [int(a) if on else None for a, on in zip(policy, acts, strict=True)],
    }


def _agrees(measured: Mapping[str, Any]) -> Said:
    alike, counted, gamma = measured["alike"], measured["counted"], f"{measured['gamma']:g}"
    if alike == counted:
        return said(
            "The model of this world is known, so what is best can be computed. In all {counted:,} states that can be"
            " reached the shipped agent does what is best (with a discount of {gamma}).",
            counted=counted,
            gamma=gamma,
        )
    return said(
        "The model of this world is known, so what is best can be computed. In {alike:,} of the {counted:,} states that"
        " can be reached ({share}) the shipped agent does what is best (with a discount of {gamma}); its worst action"
        " costs {worst}. States that it never comes to cost it nothing.",
        alike=alike,
        counted=counted,
        share=share(alike / max(1, counted)),
        gamma=gamma,
        worst=amount(measured["worst"]),
    )


def _q_table(grid: Mapping[str, Any]) -> Rows:
    width = len(grid["kinds"][0])
    arrows = [ARROWS[tuple(way)] for way in grid["ways"]]
    shown = [(at, values) for at, values in enumerate(grid["q"]) if grid["own"]["actions"][at] is not None]
    return Rows(
        header=[said("row, column"), *arrows],
        rows=[[place(at, width), *map(amount, values)] for at, values in shown],
        marks={(row, 1 + int(np.argmax(values))) for row, (_, values) in enumerate(shown)},
    )
