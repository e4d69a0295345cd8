"""What agents reach and what a seed of them costs; each mode prints one line of JSON.

    control.py ppo --sb3 PYTHON     CartPole-v1, 100k steps, 10 seeds in one program: CPU seconds a seed, start to end
    control.py acrobot              Acrobot-v1, 500k steps, 10 seeds: interquartile mean over the agents
    control.py lunar                LunarLander-v3, 1M steps, 10 seeds (extra box2d)
    control.py grid                 aurify/GridWorld-v0 8x8, Q-learning, 20 seeds: share of the exact optimum
    control.py cliff, frozen, taxi  the same on CliffWalking, FrozenLake 8x8 and Taxi
    control.py stacked              agents (and, where they stack, networks of tables) in one program against one after
                                    another in one process and against two processes

Stable-Baselines3 lives in an environment of its own (``benchmarks/README.md``) and takes rl-zoo's settings; it is run a
seed after another, ``--sb3-seeds`` of them, and plays the same test episodes. Without ``--sb3`` it is ``null``.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.acting.command import main

    main(__doc__ or "")
