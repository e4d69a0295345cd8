"""Train Stable-Baselines3's PPO as ``order.json`` of a folder says and play the ordered episodes: ``found.json``.

Run by the Python that has stable-baselines3; knows nothing of aurify. Settings are those of rl-zoo
(rl-baselines3-zoo, ``hyperparams/ppo.yml``), its linear schedules included.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

ZOO = {
    "CartPole-v1": {
        "envs": 8,
        "normalize": False,
        "n_steps": 32,
        "batch_size": 256,
        "gae_lambda": 0.8,
        "gamma": 0.98,
        "n_epochs": 20,
        "ent_coef": 0.0,
        "learning_rate": lambda left: 0.001 * left,
        "clip_range": lambda left: 0.2 * left,
    },
    "Acrobot-v1": {
        "envs": 16,
        "normalize": True,
        "n_steps": 256,
        "gae_lambda": 0.94,
        "gamma": 0.99,
        "n_epochs": 4,
        "ent_coef": 0.0,
    },
    "LunarLander-v3": {
        "envs": 16,
        "normalize": False,
        "n_steps": 1024,
        "batch_size": 64,
        "gae_lambda": 0.98,
        "gamma": 0.999,
        "n_epochs": 4,
        "ent_coef": 0.01,
    },
}


def main(folder: Path) -> None:
    order = json.loads((folder / "order.json").read_text())
    torch.set_num_threads(1)
    settings = dict(ZOO[order["world"]])
    envs = make_vec_env(order["world"], n_envs=settings.pop("envs"), seed=order["seed"])
    if settings.pop("normalize"):
        envs = VecNormalize(envs, gamma=settings["gamma"])
    model = PPO("MlpPolicy", envs, seed=order["seed"], device="cpu", **settings)
    began, used = time.monotonic(), time.process_time()
    model.learn(order["steps"])
    training = {"cpu_seconds": time.process_time() - used, "seconds": time.monotonic() - began}
    normalise = envs.normalize_obs if isinstance(envs, VecNormalize) else np.asarray

    def act(seen: np.ndarray) -> np.ndarray:
        return model.predict(normalise(seen), deterministic=True)[0]

    returns = played(order["world"], order["episodes"], act)
    found = {"returns": returns, "training": training, "version": stable_baselines3.__version__}
    (folder / "found.json").write_text(json.dumps(found))


def played(world: str, seeds: list[int], act: Callable[[np.ndarray], np.ndarray]) -> list[float]:
    """Returns of the first episode of each seed, all of them side by side."""
    worlds = [gymnasium.make(world) for _ in seeds]
    seen = [each.reset(seed=seed)[0] for each, seed in zip(worlds, seeds, strict=True)]
    returns, going = [0.0] * len(worlds), list(range(len(worlds)))
    while going:
        ended = []
        for index, action in zip(going, act(np.stack([seen[i] for i in going])), strict=True):
            seen[index], reward, terminated, truncated, _ = worlds[index].step(action)
            returns[index] += float(reward)
            if terminated or truncated:
                ended.append(index)
        going = [index for index in going if index not in ended]
    return returns


if __name__ == "__main__":
    main(Path(sys.argv[1]))
