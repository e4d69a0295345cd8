"""Small environments that do what the tests of worlds need."""

import gymnasium
import numpy as np
from gymnasium import spaces


class Counter(gymnasium.Env):
    """Counts to ``end``, where an episode terminates and is truncated in one step; each step pays a drawn reward."""

    def __init__(self, render_mode=None, end=5, shape=(2,)):
        self.render_mode, self.end = render_mode, end
        self.observation_space = spaces.Box(-10, 10, shape, dtype=np.float32)
        self.action_space = spaces.Discrete(3, start=1)

    def _shown(self):
        return np.full(self.observation_space.shape, self.count + self.noise, dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count, self.noise = 0, self.np_random.random()
        return self._shown(), {}

    def step(self, action):
        assert action in (1, 2, 3)
        self.count += int(action != 1)
        self.noise = self.np_random.random()
        over = self.count >= self.end
        return self._shown(), self.noise * action, over, over, {}


class Steered(Counter):
    """Takes two numbers instead."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode, end=4)
        self.action_space = spaces.Box(np.array([-1.0, 0.0]), np.array([1.0, np.inf]), dtype=np.float32)

    def step(self, action):
        assert action.shape == (2,)
        return super().step(2)


class Seen(Counter):
    """Shows pictures."""

    def __init__(self, render_mode=None, shape=(6, 5, 3)):
        super().__init__(render_mode)
        self.observation_space = spaces.Box(0, 255, shape, dtype=np.uint8)

    def _shown(self):
        return np.full(self.observation_space.shape, int(10 * (self.count + self.noise)), dtype=np.uint8)


class Unseeded(Counter):
    """Draws from elsewhere."""

    def step(self, action):
        after, _, terminated, truncated, info = super().step(action)
        return after, np.random.default_rng().random(), terminated, truncated, info


class Outside(Counter):
    """Leaves its space, shows what is not finite and pays what is no number."""

    def step(self, action):
        after, reward, terminated, truncated, info = super().step(action)
        after = np.full_like(after, {1: 99.0, 2: np.nan}.get(self.count, 0.0))
        return after, np.nan if self.count == 3 else reward, terminated, truncated, info


class Failing(Counter):
    """Raises an error of its own."""

    def step(self, action):
        raise ValueError("the motor\nis off")


class Broken(Counter):
    """Cannot be made."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        raise KeyError("no such part")


class Deaf(Counter):
    """Shows what nobody can read."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.observation_space = spaces.Dict(a=spaces.Discrete(2))


def made(limit):
    """A function, with a time limit of its own."""
    return gymnasium.wrappers.TimeLimit(Counter(end=100), limit)


def no_world():
    return 3


class Always(Counter):
    """Begins without its seed."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=7)


class Wordy(Counter):
    """Shows no array."""

    def step(self, action):
        return {"a": 1}, *super().step(action)[1:]


def dear_lake():
    """A lake that pays twice as much as its model says."""
    return gymnasium.wrappers.TransformReward(gymnasium.make("FrozenLake-v1"), lambda reward: 2 * float(reward))


class Corridor(gymnasium.Env):
    """Seen from above: a grey pixel in the middle is to go where a bright one is, to the left or to the right of it."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, render_mode=None, shape=(12, 12)):
        self.render_mode = render_mode
        self.shape = tuple(shape)
        self.observation_space = spaces.Box(0, 255, self.shape, dtype=np.uint8)
        self.action_space = spaces.Discrete(2)

    def _shown(self):
        image = np.zeros((12, 12), dtype=np.uint8)
        image[5, self.goal], image[5, self.at] = 255, 100
        last = len(self.shape) == 3 and self.shape[0] == 12
        return np.broadcast_to(image[..., None] if last else image, self.shape).copy()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.goal = 6, int(self.np_random.choice([2, 3, 9, 10]))
        return self._shown(), {}

    def step(self, action):
        self.at += 1 if action == 1 else -1
        there = self.at == self.goal
        return self._shown(), 1.0 if there else -0.1, there, self.at in (0, 11), {}

    def render(self):
        return np.kron(np.atleast_3d(self._shown())[..., -1:].repeat(3, 2), np.ones((8, 8, 1), dtype=np.uint8))


class PaysNaNLate(Counter):
    """Pays well for longer than anybody looks beforehand."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode, end=1000)

    def step(self, action):
        after, reward, terminated, truncated, info = super().step(action)
        return after, reward if self.count < 400 else float("nan"), terminated, truncated, info


class Spaceless(gymnasium.Env):
    """Says nothing of what it shows."""


class FourValues(Counter):
    """Steps as environments did before 2022."""

    def step(self, action):
        return super().step(action)[:4]


class Talks(Counter):
    """Prints while it is stepped."""

    def step(self, action):
        print("stepping")
        return super().step(action)
