"""Agents that see images: they learn, answer, are exported, played, resumed and reported as others are."""

from pathlib import Path

import numpy as np
import pytest

from aurify import workbench
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.folder import RunFolder
from aurify.ship.graph import Graph
from aurify.training.fit import Loop
from aurify.worlds.world import World

CORRIDOR = "odd_worlds:Corridor"
SMALL = {
    "task.envs": 4,
    "task.horizon": 64,
    "task.passes": 4,
    "task.held": 4,
    "task.tested": 12,
    "optimizer.learning_rate": 0.003,
    "budget.batch_size": 64,
    "budget.validate_every": 48,
}
SEEDS, STEPS = 2, 1536


@pytest.fixture(autouse=True, scope="module")
def here():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parent.parent / "worlds")
        yield


@pytest.fixture(scope="module")
def corridor(here, tmp_path_factory):
    out = tmp_path_factory.mktemp("images") / "corridor"
    return workbench.fit(CORRIDOR, seeds=SEEDS, steps=STEPS, settings=SMALL, out=out)


def seen(shape=(12, 12), count=8):
    """Observations as the corridor gives them, and which action is right."""
    env = World.of(CORRIDOR, {"shape": list(shape)}).make()
    images = np.stack([env.reset(seed=at)[0] for at in range(count)])
    flat = images if len(shape) == 2 else images[..., 0] if shape[0] == 12 else images[:, 0]
    return images, (flat[:, 5].argmax(1) > 6).astype(int)


def test_every_agent_learns_where_the_bright_pixel_is(corridor):
    assert corridor.recipe.network.name() == "convnet"
    scores = corridor.summary["scores"]
    assert scores["return"]["value"] > 0.7
    assert scores["return"]["low"] > corridor.summary["baselines"]["random"]["return"] + 1


def test_images_are_answered_as_the_environment_shows_them_and_so_does_the_graph(corridor, tmp_path):
    images, right = seen()
    answer = corridor.predict(images)
    assert answer["action"].to_list() == right.tolist()
    workbench.export(corridor.path, tmp_path / "corridor.onnx")
    graph = Graph((tmp_path / "corridor.onnx").read_bytes())
    told = graph.answer({"images": images[..., None]})
    np.testing.assert_allclose(told, answer.select("p_0", "p_1").to_numpy(), atol=1e-5)


def test_played_images_are_recorded(corridor, tmp_path):
    played = workbench.play(corridor.path, episodes=2, record=tmp_path / "corridor.gif")
    assert [each["terminated"] for each in played.episodes] == [True, True]
    assert played.pictures == sum(each["length"] + 1 for each in played.episodes)


def test_the_page_says_what_is_seen(corridor):
    page = corridor.folder.report.read_text(encoding="utf-8")
    assert "an image, 12 × 12 pixels" in page
    assert "moment by moment" in page


@pytest.mark.slow
def test_stopped_training_on_images_goes_on_to_the_same_model(corridor, tmp_path, monkeypatch):
    own = Loop.validate

    def stopping(loop, loss):
        own(loop, loss)
        loop.watch.stop(2)

    out = tmp_path / "again"
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "validate", stopping)
        with pytest.raises(Interrupted):
            workbench.fit(CORRIDOR, seeds=SEEDS, steps=STEPS, settings=SMALL, out=out)
    assert not RunFolder(out).bundle.exists()
    workbench.fit(resume=True, out=out)
    assert RunFolder(out).bundle.read_bytes() == corridor.folder.bundle.read_bytes()


@pytest.mark.parametrize("shape", [(12, 12, 3), (3, 12, 12), (1, 12, 12)])
def test_channels_may_come_first_or_last(shape, tmp_path):
    told = [f"shape={list(shape)}"]
    run = workbench.fit(
        CORRIDOR, steps=32, settings={**SMALL, "task.horizon": 8, "task.options": told}, out=tmp_path / "run"
    )
    images, _ = seen(shape)
    last = images.transpose(0, 2, 3, 1) if shape[1:] == (12, 12) else images
    assert run.predict(images).equals(run.predict(np.ascontiguousarray(last)))


def test_image_networks_are_refused_where_no_image_is(tmp_path):
    with pytest.raises(AurifyError, match="looks at images, and there are none"):
        workbench.fit("CartPole-v1", settings={"network": "convnet"}, out=tmp_path / "run")
