"""What is found in environments by acting at random in them."""

import pytest

from aurify.core.errors import AurifyError
from aurify.worlds.checking import CHECKS, look
from aurify.worlds.world import World


def _found(source, **settings):
    return look(World.of(source, settings), lambda: None)


@pytest.mark.parametrize("source", ["CartPole-v1", "FrozenLake-v1", "Acrobot-v1"])
def test_nothing_is_found_in_gymnasiums_own(source):
    assert list(_found(source)) == []


def test_episodes_that_nothing_cuts_off_are_warned_of():
    found = _found("CliffWalking-v1")
    assert [(f.check, f.severity) for f in found] == [("time_limit", "warning")]
    assert "max_episode_steps" in found[0].fix
    assert not _found("CliffWalking-v1", max_episode_steps=100)


def test_environment_that_ignores_its_seed_is_severe():
    found = _found("odd_worlds:Unseeded", max_episode_steps=10)
    severe = found.where(check="same_seed")
    assert len(severe.severe) == 1
    assert severe[0].text == "the same seed and the same actions do not lead to the same: reward differs at step 1"


def test_what_is_outside_of_the_space_or_not_finite_is_severe():
    found = _found("odd_worlds:Outside", max_episode_steps=10)
    texts = [str(f) for f in found.where(check="observations").severe]
    assert any("of the observations hold NaN or an infinity" in text for text in texts)
    assert any(
        "lie outside of the declared space Box(-10.0, 10.0, (2,), float32), such as [99. 99.]" in t for t in texts
    )
    assert "of the rewards are no finite numbers, such as nan" in str(found.where(check="rewards").severe[0])
    wordy = _found("odd_worlds:Wordy", max_episode_steps=10).where(check="observations")
    assert "float32), such as {'a': 1}" in wordy[0].text
    assert all(f.fix for f in found.severe), "what stops a fit says what to do"
    assert {f.check for f in found} <= set(CHECKS)


def test_what_gymnasiums_checker_says_is_passed_on():
    refused = _found("odd_worlds:Always", max_episode_steps=10).where(check="env_checker")
    assert [f.severity for f in refused] == ["severe"]
    assert "Gymnasium refuses the environment: " in refused[0].text
    warned = _found("odd_worlds:Steered", max_episode_steps=10).where(check="env_checker")
    assert {f.severity for f in warned} == {"warning"}
    texts = [str(f) for f in warned]
    assert any("symmetric and normalized space" in text for text in texts)
    assert not any("\x1b" in text for text in texts)


def test_error_of_the_environment_itself_is_one_line():
    with pytest.raises(AurifyError, match=r"odd_worlds:Failing fails in a step: .*the motor is off"):
        _found("odd_worlds:Failing")


def test_what_an_environment_lacks_is_said():
    with pytest.raises(AurifyError, match="odd_worlds:Spaceless has no observation_space: set"):
        World.of("odd_worlds:Spaceless", {})
    with pytest.raises(AurifyError, match=r"fails in a step: .*unpack.*\(observation, reward, terminated, truncated"):
        _found("odd_worlds:FourValues")


def test_share_of_odd_rewards_is_of_the_steps():
    always = _found("odd_worlds:Outside", max_episode_steps=3).where(check="rewards")
    assert always[0].count <= 300
    assert f"{always[0].count / 300:.0%} of the rewards" in always[0].text
