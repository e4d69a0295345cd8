"""What can be known of a world whose model is known: the best values, the best return, the return of any policy."""

# S states, K actions, O outcomes of one

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError

if TYPE_CHECKING:
    from aurify.worlds.world import World

CLOSE = 1e-10
"""How far values may be from the exact ones, relative to the largest."""

MOST_SWEEPS = 200_000
"""Values that have not settled by then have no bound, or a discount that leaves them nearly none."""


@dataclass(frozen=True, eq=False)
class Model:
    """What every action of every state leads to: ``chance``, ``after``, ``reward`` and ``ends`` are (S, K, O).

    Rows with fewer outcomes are filled up with such of chance 0. ``start`` (S,) is where episodes begin.
    """

    chance: np.ndarray
    after: np.ndarray
    reward: np.ndarray
    ends: np.ndarray
    start: np.ndarray

    def backup(self, values: np.ndarray, gamma: float = 1.0) -> np.ndarray:
        """What each action is worth (S, K) where the states after it are worth ``values`` (S,)."""
        later = np.where(self.ends, 0.0, values[self.after])
        return (self.chance * (self.reward + gamma * later)).sum(2)

    @property
    def at_random(self) -> np.ndarray:
        """The policy (S, K) that takes every action equally often."""
        return np.full(self.chance.shape[:2], 1 / self.chance.shape[1])


@dataclass(frozen=True, eq=False)
class Exact:
    """The best that can be done: what states (S,) and actions (S, K) are worth, and the best action (S,) of each."""

    values: np.ndarray
    actions: np.ndarray
    policy: np.ndarray


def model_of(world: World) -> Model | None:
    """The model of a world that tells it as Gymnasium's toy environments do, in ``P``; None where there is none.

    None too where that would be another world's: behind wrappers that change what is seen, done or paid, and where a
    taxi's passenger may change their mind, of which ``P`` knows nothing.
    """
    from gymnasium import Wrapper, spaces
    from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

    env = inside = world.make()
    try:
        while isinstance(inside, Wrapper):
            if type(inside) not in (OrderEnforcing, PassiveEnvChecker, TimeLimit):
                return None
            inside = inside.env
        seen, done = inside.observation_space, inside.action_space
        told, start = getattr(inside, "P", None), getattr(inside, "initial_state_distrib", None)
    finally:
        env.close()
    if not isinstance(seen, spaces.Discrete) or not isinstance(done, spaces.Discrete) or seen.start or done.start:
        return None
    if not isinstance(told, Mapping) or start is None or getattr(inside, "fickle_passenger", False):
        return None
    return _model(told, np.asarray(start, dtype=np.float64), int(seen.n), int(done.n))


def _model(told: Mapping[int, Mapping[int, Any]], start: np.ndarray, states: int, actions: int) -> Model:
    most = max(len(told[state][action]) for state in range(states) for action in range(actions))
    chance, reward = np.zeros((2, states, actions, most))
    after, ends = np.zeros(chance.shape, dtype=np.int64), np.zeros(chance.shape, dtype=bool)
    for state in range(states):
        for action in range(actions):
            for at, outcome in enumerate(told[state][action]):
                place = state, action, at
                chance[place], after[place], reward[place], ends[place] = outcome
    return Model(chance, after, reward, ends, start)


def solve(model: Model, gamma: float = 1.0) -> Exact:
    """The best values by value iteration (Bellman 1957); of actions that are equally good the first is the policy's.

    Without a discount such a policy may walk in circles where that costs nothing. Raises AurifyError where values grow
    without bound.
    """
    values = np.zeros(len(model.start))
    for _ in range(MOST_SWEEPS):
        actions = model.backup(values, gamma)
        changed = np.abs(actions.max(1) - values).max()
        values = actions.max(1)
        scale = max(1.0, np.abs(values).max())
        left = changed * gamma / (1 - gamma) if gamma < 1 else changed / CLOSE
        if left <= CLOSE * scale or changed <= 1e-15 * scale:
            ties = actions >= values[:, None] - 1e-9 * scale
            return Exact(values, actions, ties.argmax(1))
    raise AurifyError(f"the best values of this world do not settle at gamma = {gamma:g}; take less, such as 0.99")


def solved(world: World, gamma: float) -> np.ndarray:
    """What each action is worth (S, K), by value iteration; raises AurifyError where the model is not known."""
    if (model := model_of(world)) is None:
        raise AurifyError(
            f"value iteration needs a world whose model is known, such as FrozenLake-v1; of {world.source} it is not:"
            " use a method that learns from what it meets, such as q_learning"
        )
    return solve(model, gamma).actions


def policy_values(model: Model, policy: np.ndarray, gamma: float) -> np.ndarray:
    """What states are worth (S,) to whom a ``policy`` says the action (S,) of each, with a discount below 1."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    states = np.arange(len(model.start))
    chance, on = model.chance[states, policy], ~model.ends[states, policy]
    from_state = np.broadcast_to(states[:, None], chance.shape)
    after = model.after[states, policy]
    going = sparse.csr_array((chance[on], (from_state[on], after[on])), shape=(len(states), len(states)))
    chain = sparse.eye_array(len(states)) - gamma * going
    return np.asarray(spsolve(chain.tocsc(), (chance * model.reward[states, policy]).sum(1)))


def reached(model: Model) -> np.ndarray:
    """Whether a state (S,) can be come to by any actions."""
    from scipy import sparse

    states = len(model.start)
    possible = model.chance > 0
    # what follows an end belongs to no episode, but the end itself is come to
    last = np.zeros(states, dtype=bool)
    last[model.after[possible & model.ends]] = True
    possible &= ~last[:, None, None]
    from_state = np.broadcast_to(np.arange(states)[:, None, None], possible.shape)[possible]
    going = sparse.csr_array((np.ones(len(from_state)), (from_state, model.after[possible])), shape=(states, states))
    return _spread(model.start > 0, going.T)


def optimal_return(model: Model, limit: int | None) -> float:
    """The most that an episode of at most ``limit`` steps pays on average, without a discount.

    By backward induction: what is best may depend on how many steps are left. A policy that does not know how many can
    only come near to it.
    """
    if limit is None:
        return float(model.start @ solve(model).values)
    return _backwards(model, limit, lambda actions: actions.max(1))


def expected_return(model: Model, policy: np.ndarray, limit: int | None) -> float:
    """What an episode of at most ``limit`` steps pays on average, without a discount.

    ``policy`` says which action is taken in each state (S,), or how often each is (S, K). Without a limit a policy that
    may walk for ever has an infinite return, or none (NaN) where it is paid and pays on its way.
    """
    share = policy if policy.ndim == 2 else np.eye(model.chance.shape[1])[policy]
    if limit is None:
        return _without_limit(model, share)
    return _backwards(model, limit, lambda actions: (share * actions).sum(1))


def _backwards(model: Model, limit: int, choose: Callable[[np.ndarray], np.ndarray]) -> float:
    """The value of the start with ``limit`` steps to go, when ``choose`` makes values (S,) of actions (S, K)."""
    values = np.zeros(len(model.start))
    for _ in range(limit):
        before, values = values, choose(model.backup(values))
        if np.array_equal(before, values):
            break
    return float(model.start @ values)


def _without_limit(model: Model, share: np.ndarray) -> float:
    """The expected sum of rewards of a policy (S, K) in a Markov chain that ends, from its linear equations."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    states = len(model.start)
    taken = share[:, :, None] * model.chance
    from_state = np.broadcast_to(np.arange(states)[:, None, None], taken.shape)
    on = (taken > 0) & ~model.ends
    going = sparse.csr_array((taken[on], (from_state[on], model.after[on])), shape=(states, states))
    paid = (taken * model.reward).sum((1, 2))
    reached = _spread(model.start > 0, going.T)
    lost = reached & ~_spread((taken * model.ends).sum((1, 2)) > 0, going)
    if (paid[lost] != 0).any():
        signs = np.unique(np.sign((taken * model.reward)[lost]))
        return math.nan if {-1.0, 1.0} <= set(signs.tolist()) else math.inf * float(paid[lost].sum())
    counted = np.flatnonzero(reached & ~lost)
    chain = sparse.eye_array(len(counted)) - going[counted][:, counted]
    return float(model.start[counted] @ np.asarray(spsolve(chain.tocsc(), paid[counted])))


def _spread(begun: np.ndarray, leads: Any) -> np.ndarray:
    """The states (S,) from which ``leads`` (S, S) comes to those of ``begun``, these included."""
    while True:
        wider = begun | (leads @ begun.astype(float) > 0)
        if (wider == begun).all():
            return begun
        begun = wider
