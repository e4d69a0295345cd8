"""The shipped contract suite over every part of the catalog, and pairs of techniques drawn anew for every commit."""

import random
from dataclasses import replace

import pytest
from small import commit, one_lab

from aurify.testing.cases import every_network_and_optimizer, every_technique_and_kind, goes_beside
from aurify.testing.exporting import graph_answers_as_torch_does
from aurify.testing.suite import Check, checks_of
from aurify.testing.tables import KINDS
from aurify.testing.together import (
    LEARNT,
    SHORT,
    error_left,
    models_side_by_side_end_as_each_would_alone,
    network_learns_with_every_optimizer,
    pair_of_techniques_trains_and_resumes,
)
from aurify.testing.training import (
    finished_run_fitted_again_stays_as_it_is,
    run_among_the_defaults_resumes_wherever_it_was_stopped,
    run_resumed_after_every_step_equals_the_unbroken_one,
    same_recipe_gives_same_weights_and_predictions,
)

PAIRS = 12

LONG = (
    finished_run_fitted_again_stays_as_it_is,
    graph_answers_as_torch_does,
    models_side_by_side_end_as_each_would_alone,
    network_learns_with_every_optimizer,
    run_among_the_defaults_resumes_wherever_it_was_stopped,
    run_resumed_after_every_step_equals_the_unbroken_one,
    same_recipe_gives_same_weights_and_predictions,
)
"""Promises that take long on all of their cases together."""


def catalog_checks():
    """Every check of every part but pairs, each named; of what takes long together, each is slow."""
    lab = one_lab()
    for check in checks_of(lab, parts_of(lab)):
        if check.promise is not pair_of_techniques_trains_and_resumes:
            yield pytest.param(check, id=check.name, marks=[pytest.mark.slow] if check.promise in LONG else [])


def parts_of(lab):
    return [(group, part) for group, known in lab.catalog.parts.items() for part in known.values()]


def drawn_pairs():
    """Two techniques that go together, as the commit draws them: fixed for one commit, others for the next."""
    lab = one_lab()
    every = list(every_technique_and_kind(lab, parts_of(lab)))
    for kind in KINDS:
        draw = random.Random(f"{commit()}/{kind}")
        here = [case for case in every if case.kind == kind]
        for at in range(PAIRS):
            one = draw.choice(here)
            other = draw.choice([case.part for case in here if goes_beside(one, case.part)])
            yield replace(one, other=other, draw=f"{commit()[:8]}/{at}")


@pytest.mark.parametrize("check", list(catalog_checks()))
def test_part_keeps_its_promise(check):
    check()


@pytest.mark.slow
@pytest.mark.parametrize("case", list(every_network_and_optimizer(one_lab(), parts_of(one_lab()))), ids=str)
def test_none_of_our_networks_begins_slowly(case):
    assert error_left(case, SHORT) < LEARNT


@pytest.mark.parametrize("case", list(drawn_pairs()), ids=str)
def test_sampled_pair_of_techniques_trains_and_resumes(case):
    Check(pair_of_techniques_trains_and_resumes, case)()
