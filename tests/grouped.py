"""Random tables whose rows belong to groups and to times, for tests of how rows are parted."""

import numpy as np
import polars as pl

from aurify.data.schema import Schema
from aurify.data.store import Store

SCHEMAS = {
    classes: Schema.infer(
        pl.DataFrame({"x": np.arange(60) * 0.5, "y": [str(i % classes) if classes else i / 3 for i in range(60)]}),
        "y",
        (),
        "classify" if classes else "regress",
    )
    for classes in (0, 2, 5)
}


def store_of(numbers, target, classes, test=None, **roles):
    test = np.zeros(len(target), dtype=bool) if test is None else test
    return Store.of(SCHEMAS[classes], {"numbers": numbers}, target, test, roles)


def random_store(seed, count=None):
    """A table whose classes lean on the group and on the time, with copies, gaps in both and ties in time."""
    random = np.random.default_rng(seed)
    classes = (0, 2, 5)[seed % 3]
    count = int(random.integers(150, 600)) if count is None else count
    numbers = random.normal(size=(count, 2))
    numbers[random.permutation(count)[:30]] = numbers[:30]
    group = np.minimum(random.geometric(0.06, count), 60)
    time = random.integers(0, 120, count) * 86_400.0
    lean = random.dirichlet(np.ones(max(classes, 1)), 61)
    target = np.array([random.choice(classes, p=lean[g]) for g in group]) if classes else random.exponential(size=count)
    group[random.random(count) < 0.03] = -1
    time[random.random(count) < 0.03] = np.nan
    return store_of(numbers, target, classes, group=group, time=time)
