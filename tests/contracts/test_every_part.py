"""The shipped contract suite over every part of the catalog, and pairs of techniques drawn anew for every commit."""

import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from small import one_lab

from aurify.testing.cases import every_network_and_optimizer, every_technique_and_kind, goes_beside
from aurify.testing.exporting import graph_answers_as_torch_does
from aurify.testing.suite import Check, checks_of
from aurify.testing.tables import KINDS
from aurify.testing.together import LEARNT, SHORT, error_left, pair_of_techniques_trains_and_resumes

PAIRS = 12


def catalog_checks():
    """Every check of every part but pairs, each named; exports of other settings than the defaults are slow."""
    lab = one_lab()
    for check in checks_of(lab, parts_of(lab)):
        if check.promise is pair_of_techniques_trains_and_resumes:
            continue
        slow = check.promise is graph_answers_as_torch_does and check.case.variant != "default"
        yield pytest.param(check, id=check.name, marks=[pytest.mark.slow] if slow else [])


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


def commit():
    try:
        words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "no repository"


@pytest.mark.parametrize("check", list(catalog_checks()))
def test_part_keeps_its_promise(check):
    check()


@pytest.mark.parametrize("case", list(every_network_and_optimizer(one_lab(), parts_of(one_lab()))), ids=str)
def test_none_of_our_networks_begins_slowly(case):
    assert error_left(case, SHORT) < LEARNT


@pytest.mark.parametrize("case", list(drawn_pairs()), ids=str)
def test_sampled_pair_of_techniques_trains_and_resumes(case):
    Check(pair_of_techniques_trains_and_resumes, case)()
