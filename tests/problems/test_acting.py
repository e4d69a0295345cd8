"""Agents learn from true experience, and side by side as each would alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from aurify import catalog as catalogs
from aurify.core.errors import Interrupted
from aurify.core.folder import RunFolder
from aurify.core.recipe import Source
from aurify.core.watch import Watch
from aurify.objectives.policy import Choices, Numbers, advantages
from aurify.problems.acting import ActingProblem
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper
from aurify.training.fit import Loop
from aurify.worlds.episodes import play

STEPS = 200
SEED = 4


@pytest.fixture(scope="module")
def catalog():
    return catalogs.load()


@pytest.fixture(scope="module")
def trained(catalog):
    """Return a function that trains agents: ``world``, techniques beside the defaults, settings of the task."""

    def run(world, steps=STEPS, seed=SEED, techniques=(), keeper=None, watch=None, **settings):
        task = catalog.part("task", {"name": "control", "held": 1, **settings})
        store = task.read(Source(), world).store
        task = task.settled(store)
        plain = task.defaults(store)
        plain["techniques"] |= dict(techniques)
        plain["budget"] |= {"steps": steps, "validate_every": steps}
        recipe = catalog.recipe({**plain, "task": {"name": "control", **task.settings()}, "seed": seed})
        parts, device = task.part(recipe, store), torch.device("cpu")
        problem = task.problem(recipe, store, parts, device)
        return loop.fit(recipe, problem, device, keeper or Keeper(None), watch or Watch(), lambda run: None)

    return run


SHORT = {"envs": 2, "options": ["max_episode_steps=15"]}
METHODS = {
    "ppo": ("CartPole-v1", {"method": "ppo", "horizon": 16, "passes": 4, **SHORT}, {"scale_rewards": {}, "l1": {}}),
    "reinforce": ("CartPole-v1", {"method": "reinforce", "horizon": 16, **SHORT}, {"weight_decay": {"amount": 0.5}}),
    "images": ("odd_worlds:Corridor", {"method": "ppo", "horizon": 16, "passes": 4, "envs": 2}, {}),
    "q_learning": ("FrozenLake-v1", {"method": "q_learning", "envs": 4}, {}),
    "sarsa": ("aurify/GridWorld-v0", {"method": "sarsa", "envs": 4}, {}),
}


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Worlds of the tests' own are a module of a folder that is the current one."""
    monkeypatch.chdir(Path(__file__).parent.parent / "worlds")


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_agents_side_by_side_learn_as_each_would_alone(trained, method):
    world, settings, techniques = METHODS[method]
    steps = 40 if method == "images" else STEPS  # convolutions take their time
    beside = trained(world, steps, techniques=techniques, agents=2, **settings)
    assert beside.step == steps
    for agent in range(2):
        alone = trained(world, steps, techniques=techniques, seed=SEED + agent, **settings)
        for name, value in alone.model.state_dict().items():
            together = beside.model.state_dict()[name][agent]
            torch.testing.assert_close(together, value, rtol=1e-5, atol=1e-5, msg=f"{name} of agent {agent}")


def test_advantages_are_those_of_brute_force():
    random = np.random.default_rng(0)
    steps, gamma, trace = 9, 0.9, 0.7
    reward, value, after = (torch.from_numpy(random.normal(size=(steps, 1, 2))) for _ in range(3))
    ended = torch.from_numpy(random.random((steps, 1, 2)) < 0.3)
    terminated = ended & torch.from_numpy(random.random((steps, 1, 2)) < 0.5)
    found = advantages(reward, value, after, ended, terminated, gamma=gamma, trace=trace)
    surprise = reward + gamma * after * ~terminated - value
    for env in range(2):
        for start in range(steps):
            total, share = 0.0, 1.0
            for t in range(start, steps):
                total += share * surprise[t, 0, env].item()
                share *= gamma * trace
                if ended[t, 0, env]:
                    break
            assert found[start, 0, env].item() == pytest.approx(total)


def test_everything_that_came_is_the_return_less_what_was_expected():
    reward, value = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1), torch.tensor([0.5, 0.0, 3.0]).view(3, 1, 1)
    after = torch.tensor([0.0, 3.0, 10.0]).view(3, 1, 1)
    ends = torch.tensor([False, False, True]).view(3, 1, 1)
    cut = advantages(reward, value, after, ends, ~ends & False, gamma=0.5, trace=1.0)
    done = advantages(reward, value, after, ends, ends, gamma=0.5, trace=1.0)
    # 1 + 2/2 + 4/4, and behind a cut half of what the final observation is worth, an eighth by then
    assert done[0].item() == pytest.approx(3.0 - 0.5)
    assert cut[0].item() == pytest.approx(3.0 - 0.5 + 10 / 8)


def test_noise_draws_choices_as_often_as_they_are_likely():
    policy, output = Choices(3), torch.tensor([0.0, 1.0, -1.0])
    noise = policy.noise((20_000,), torch.Generator().manual_seed(0))
    share = torch.bincount(policy.drawn(output.expand(20_000, 3), noise)) / 20_000
    torch.testing.assert_close(share, output.softmax(0), atol=0.01, rtol=0)


def test_probabilities_of_numbers_are_those_of_torch():
    random = torch.Generator().manual_seed(0)
    policy, output = Numbers(2), torch.randn(5, 5, generator=random)
    action = policy.drawn(output, policy.noise((5,), random))
    other = torch.distributions.Normal(output[:, :2], output[:, 2:4].exp())
    torch.testing.assert_close(policy.log_probability(output, action), other.log_prob(action).sum(1))
    torch.testing.assert_close(policy.entropy(output), other.entropy().sum(1))


def test_only_an_end_of_the_world_cuts_what_is_to_come(trained):
    """Behind a time limit the critic\'s word for the final observation counts, behind a fall nothing does."""
    plain = {"scale_rewards": {"method": "none"}}
    short = {"method": "a2c", "envs": 3, "horizon": 30, "options": ["max_episode_steps=7"]}
    run = trained("CartPole-v1", steps=1, techniques=plain, gamma=0.9, **short)
    feed, problem = run.problem.feed, run.problem
    steps = []
    own = feed.field.step
    feed.field.step = lambda actions: steps.append(own(actions)) or steps[-1]
    feed.next(run)
    gathered, value = feed._gathered, lambda seen: problem.outputs_for(seen, run)[0, :, -1].double()
    target = gathered["target"].view(30, 3)
    cut = 0
    for t, step in enumerate(steps):
        for env in np.flatnonzero(step.truncated & ~step.terminated):
            cut += 1
            expected = step.reward[env] + 0.9 * value(step.after)[env]
            assert target[t, env].item() == pytest.approx(expected.item(), rel=1e-4)
        for env in np.flatnonzero(step.terminated):
            assert target[t, env].item() == pytest.approx(step.reward[env])
    assert cut > 3


def test_value_iteration_is_training_that_ends_at_the_exact_values(trained, catalog):
    from aurify.worlds.exact import solved

    run = trained("FrozenLake-v1", steps=5000, method="value_iteration")
    assert run.step < 5000
    assert "settled" in str(run.stopped)
    table = run.model.state_dict()["actor.table.weight"].double().numpy()
    assert np.abs(table - solved(run.problem.world, 0.99)).max() < 1e-5


def test_agents_of_numbers_say_how_far_they_try(trained):
    run = trained("Pendulum-v1", steps=3, method="ppo", agents=2, envs=2, horizon=8)
    logs = run.model.state_dict()["spread.log"]
    for agent, told in enumerate(run.problem.trained(run)):
        torch.testing.assert_close(told.layers[0].tensors()["spread"], logs[agent].exp())


def test_an_episode_without_an_end_is_learnt_from_all_the_same(trained, monkeypatch):
    monkeypatch.setattr("aurify.worlds.episodes.ENDLESS", 20)
    run = trained("CliffWalking-v1", steps=2, method="reinforce", envs=2)
    assert run.step == 2
    assert run.problem.feed.played == 2 * 2 * 20


def test_validations_soon_leave_who_goes_in_circles(trained, monkeypatch):
    monkeypatch.setattr("aurify.problems.acting.WATCHED", 30)
    run = trained("CliffWalking-v1", steps=1, method="q_learning", envs=2, held=3, watched=2)
    assert run.log[-1]["length"] == 30
    assert run.log[-1]["return"] <= -30


def test_earlier_weights_come_with_what_was_seen_until_then(trained, monkeypatch):
    """Early stopping goes back to the best validation: the mean of what was observed goes back with it."""
    scores, means = iter([5.0, 4.0, 3.0]), []

    def score(problem, run):
        means.append(next(t for t in run.techniques if t.name() == "normalize_observations").mean[0].clone())
        return torch.tensor([next(scores)], dtype=torch.float64)

    monkeypatch.setattr(ActingProblem, "score", score)
    monkeypatch.setattr(Loop, "train", _validating_every(2, Loop.train))
    run = trained("CartPole-v1", steps=6, techniques={"early_stopping": {}}, method="a2c", envs=2, horizon=8)
    centre = run.problem.trained(run)[0].layers[0].tensors()["centre"]
    assert not torch.equal(means[0], means[-1])
    assert torch.equal(centre, means[0])


def _validating_every(steps, train):
    def patched(loop, until=None):
        loop.validate_every = steps
        train(loop, until)

    return patched


def test_a_signal_reaches_a_validation_and_what_is_saved_goes_on_with_it(trained, tmp_path, monkeypatch):
    settings = {"method": "ppo", "agents": 2, "held": 2, "watched": 2, "horizon": 16, "passes": 1, **SHORT}
    whole = trained("CartPole-v1", steps=6, **settings)
    folder, watch = RunFolder(tmp_path), Watch()

    def stopped(world, seeds, act, check, *rest):
        def now():
            watch.stop(2)
            check()

        return play(world, seeds, act, now, *rest)

    with monkeypatch.context() as patch:
        patch.setattr("aurify.problems.acting.play", stopped)
        with pytest.raises(Interrupted):
            trained("CartPole-v1", steps=6, keeper=Keeper(folder), watch=watch, **settings)
    again = trained("CartPole-v1", steps=6, keeper=Keeper(folder), **settings)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])
    told = [[{k: v for k, v in entry.items() if k != "seconds"} for entry in run.log] for run in (whole, again)]
    assert told[0] == told[1]


def test_the_agent_that_is_shipped_is_the_best_in_all_held_out_episodes(trained):
    run = trained("CartPole-v1", steps=20, agents=3, method="ppo", envs=2, horizon=16, held=12, watched=1)
    found = [agent.weight for agent in run.problem.trained(run)]
    chosen = run.problem.chosen()["chosen"]
    assert len(chosen["returns"]) == 12
    assert found.index(1.0) == chosen["best"] == int(np.argmax(chosen["means"]))
    assert np.mean(chosen["returns"]) == pytest.approx(max(chosen["means"]))
