"""What the report shows of agents: returns, learning curves, policies on a grid, pictures, in every language."""

import json

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.catalog import load
from aurify.core.words import LANGUAGES, say
from aurify.report.page import render
from aurify.report.pictures import Gallery
from aurify.report.section import Card, Code, Folded, Paragraph, Rows, chapters, sections_for
from aurify.report.sections.agents_learning import _floor
from aurify.report.sections.episode import PICTURES, Episode
from aurify.report.sections.returns import _near
from aurify.report.text_frames import side_by_side
from aurify.report.words import interval
from aurify.workbench.record import record
from aurify.workbench.worlds import Worlds
from aurify.worlds.exact import model_of, policy_values, solve
from aurify.worlds.grid import GOAL, START, TRAP, WALL
from aurify.worlds.layout import layout_of
from aurify.worlds.world import World

OWN = ["acted", "world", "returns", "agents_learning", "states", "episode"]
TINY = {"task.held": 2, "task.tested": 4}
WALL_BELOW = ("width=4", "height=2", "traps=[[1, 1]]", "walls=[[1, 2]]", "goal=[1, 3]")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three agents of a grid that is small enough to be learnt."""
    settings = {**TINY, "task.options": list(WALL_BELOW)}
    out = tmp_path_factory.mktemp("agents") / "grid"
    return workbench.fit("aurify/GridWorld-v0", method="q_learning", seeds=3, steps=16000, settings=settings, out=out)


@pytest.fixture(scope="module")
def pole(tmp_path_factory):
    """One agent in a world whose model is not known."""
    settings = {**TINY, "task.envs": 2, "task.horizon": 32, "task.passes": 1, "network.width": 16}
    return workbench.fit("CartPole-v1", steps=256, settings=settings, out=tmp_path_factory.mktemp("agents") / "pole")


def evidence(run):
    return json.loads(run.folder.evidence.read_text())


def shown(run, language="en"):
    return {chapter.name: chapter for chapter in chapters(record(run.folder, load(), language))}


def every(blocks):
    for block in blocks:
        yield block
        if isinstance(block, (Folded, Card)):
            yield from every(block.blocks)


def test_a_report_of_agents_has_their_sections_and_none_about_rows(run, pole):
    shared = ["findings", "recipe", "cost", "reproduce"]
    assert sorted(shown(run)) == sorted([*OWN, *shared])
    assert sorted(shown(pole)) == sorted([*(name for name in OWN if name != "states"), *shared])
    assert {"split", "data", "confusion", "importance"}.isdisjoint(s.name() for s in sections_for(run.recipe.task))


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_agents_are_said_in_every_language(run, pole, language):
    for each in (run, pole):
        page = render(record(each.folder, load(), language))
        assert "undefined" not in page.split("<script")[0]
        assert say(record(each.folder, load()).summary["verdict"], language).split("（")[0].split("(")[0] in page


def test_returns_are_those_of_the_episodes(run):
    frame = pl.read_parquet(run.folder.episodes).filter(policy="greedy")
    for agent in evidence(run)["returns"]["agents"]:
        own = frame.filter(agent=agent["agent"])["return"]
        assert agent["greedy"]["value"] == pytest.approx(own.mean())
        assert (agent["lowest"], agent["highest"]) == (own.min(), own.max())


def test_learning_curves_have_a_band_over_agents_and_count_steps_in_the_world(run, pole):
    band, line = (shown(each)["agents_learning"].figures["agents_learning"] for each in (run, pole))
    values = band.chart["data"]["values"]
    assert values[0].keys() >= {"low", "high"}
    held = [row for row in values if "low" in row]
    assert held[-1]["x"] == 16_000
    assert all(row["low"] <= row["value"] <= row["high"] for row in held)
    assert not any("low" in row for row in line.chart["data"]["values"])
    last = [json.loads(text) for text in run.folder.progress.read_text().splitlines()][-1]
    assert held[-1]["value"] == pytest.approx(np.mean(last["returns"]))
    assert len(band.table.rows) == len(held)


def test_what_is_far_off_does_not_hide_the_rest():
    near = {"a": {"value": -13.0}, "b": {"value": -14.0}}
    assert list(_near(near, {"random": {"value": -57_000.0}, "optimal": {"value": -13.0}})) == ["optimal"]
    assert list(_near({"a": {"value": 0.0}}, {"random": {"value": 1.0}})) == ["random"]
    assert _floor([-57_000.0, -13.0], -13.0) == pytest.approx(-273)
    assert _floor([22.0, 500.0], 400.0) is None


def test_maps_tell_what_states_are_worth_to_the_agent_and_at_best(run):
    world = World.open(run.folder.store)
    model, found = model_of(world), evidence(run)["states"]
    grid, gamma = found["grid"], run.recipe.task.gamma
    assert grid["kinds"] == [f"{START}...", f".{TRAP}{WALL}{GOAL}"]
    best = solve(model, gamma)
    policy = np.array([0 if action is None else action for action in grid["agent"]["actions"]])
    values = policy_values(model, policy, gamma)
    for at, kind in enumerate("".join(grid["kinds"])):
        acts = kind not in (TRAP, WALL, GOAL)
        assert (grid["agent"]["values"][at] is not None) == acts
        if acts:
            assert grid["agent"]["values"][at] == pytest.approx(values[at])
            assert grid["optimal"]["values"][at] == pytest.approx(best.values[at])
            assert grid["own"]["values"][at] == pytest.approx(max(grid["q"][at]))
    figures = shown(run)["states"].figures
    assert list(figures) == ["policy_map", "optimal_map", "value_map"]
    assert [row[2] for row in figures["optimal_map"].table.rows][:4] == ["→", "→", "→", "↓"]


def test_the_value_of_a_policy_is_what_it_earns_discounted():
    world = World.of("aurify/GridWorld-v0", {"width": 3, "height": 1, "rewards": [-1.0, -5.0, 10.0]})
    model = model_of(world)
    assert policy_values(model, np.array([2, 2, 0]), 0.5).tolist() == pytest.approx([-1 + 0.5 * 10, 10, 0])
    assert policy_values(model, np.array([0, 0, 0]), 0.5)[0] == pytest.approx(-2)
    best = solve(model, 0.5)
    assert policy_values(model, best.policy, 0.5) == pytest.approx(best.values)


@pytest.mark.parametrize(
    ("source", "kinds", "ways"),
    [
        ("FrozenLake-v1", ["S...", ".T.T", "...T", "T..G"], [(0, -1), (1, 0), (0, 1), (-1, 0)]),
        ("CliffWalking-v1", ["." * 12] * 3 + ["S" + "#" * 10 + "G"], [(-1, 0), (0, 1), (1, 0), (0, -1)]),
    ],
)
def test_cells_and_arrows_are_read_off_the_model(source, kinds, ways):
    world = World.of(source, {})
    layout = layout_of(world, model_of(world))
    assert ["".join(row) for row in layout.kinds.tolist()] == kinds
    assert list(layout.ways) == ways


def test_worlds_that_are_no_grid_have_no_layout():
    world = World.of("Taxi-v4", {})
    assert layout_of(world, model_of(world)) is None


def test_strips_go_from_the_first_moment_to_the_last(run):
    found = evidence(run)["episode"]
    for episode in found["episodes"]:
        steps = [picture["step"] for picture in episode["pictures"]]
        assert (steps[0], steps[-1]) == (0, episode["length"])
        assert steps == sorted(set(steps))
        assert len(steps) == min(PICTURES, episode["length"] + 1)
        assert episode["pictures"][-1]["so_far"] == pytest.approx(episode["return"])
    strips = next(block for block in shown(run)["episode"].blocks if isinstance(block, Gallery)).strips
    assert [len(strip.pictures) for strip in strips] == [len(each["pictures"]) for each in found["episodes"]]


def test_the_shipped_agent_is_said_to_be_chosen_and_by_what(run):
    found = json.loads(run.folder.training.read_text())["chosen"]
    assert found["best"] == run.summary["best_agent"]
    told = next(
        str(block.text)
        for block in shown(run)["returns"].blocks
        if isinstance(block, Paragraph) and "is shipped" in str(block.text)
    )
    assert told.startswith(f"Agent {found['best']} is shipped: with its final weights it returned ")
    assert "in the 2 episodes that choose" in told
    assert told.endswith(f"it returns {interval(run.summary['scores']['return_best'])}.")


def test_a_world_that_only_writes_is_shown_in_letters(run, monkeypatch):
    """The same episode twice: as texts each moment stands under its step, side by side."""
    monkeypatch.setattr("aurify.workbench.worlds.ways_to_draw", lambda world: ["ansi"])
    exam = Worlds().exam(run.folder, run.bundle, load())
    exam.answer(lambda: None)
    section = Episode()
    found = section.measure(exam.tested(run.summary, lambda: None))
    told = [block.text for block in section.show(record(run.folder, load(), "zh"), found) if isinstance(block, Code)]
    assert len(told) == len(found["episodes"])
    for text, episode in zip(told, found["episodes"], strict=True):
        assert "第 0 步" in text
        assert [each["step"] for each in episode["texts"]][-1] == episode["length"]
        assert text.count("步") == len(episode["texts"])
        assert "\x1b" not in text


def test_texts_stand_side_by_side_as_far_as_a_line_goes():
    frames = [(f"step {at}", "ab\nc" + "d" * 20) for at in range(5)]
    lines = side_by_side(frames).splitlines()
    assert lines[0].split() == ["step", "0", "step", "1", "step", "2"]
    assert lines[2].startswith("c" + "d" * 20 + "    c")
    assert max(map(len, lines)) <= 88
    assert lines[4].split() == ["step", "3", "step", "4"]


def test_how_to_use_agents_is_told_as_verbs_that_they_know(run):
    texts = [getattr(block, "text", "") for block in every(shown(run)["reproduce"].blocks)]
    assert any("aurify play" in text for text in texts)
    assert not any("evaluate" in text for text in texts)


def test_few_agents_and_a_world_that_is_not_known_are_said(pole):
    texts = [str(block.text) for block in every(shown(pole)["acted"].blocks) if isinstance(block, Paragraph)]
    assert texts[0].startswith("How much is returned in CartPole-v1 to an agent that learnt by ppo?")
    facts = next(block for block in shown(pole)["world"].blocks if isinstance(block, Rows)).rows
    assert [value for _, value in facts] == ["CartPole-v1", "4 numbers", "one of 2 actions", "500 steps"]
