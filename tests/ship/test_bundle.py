"""A model file predicts as it was fitted, or is refused: nothing in it can run, allocate or replace anything."""

import copy
import subprocess
import sys
import warnings

import polars as pl
import pytest
import torch

from aurify.core import archive
from aurify.core.errors import AurifyError
from aurify.ship.blending import blended
from aurify.ship.bundle import Bundle


@pytest.fixture(scope="module", params=["classify", "regress", "blend"])
def saved(request, lab, tmp_path_factory):
    """A bundle with every kind of layer in it, as a file and as its parts; a blend has its trees before the network."""
    path, kind = tmp_path_factory.mktemp("bundle") / "model.aurify", request.param.replace("blend", "classify")
    bundle = lab.bundle(lab.fitted(lab.default(kind)))
    if request.param == "blend":
        bundle = blended((lab.trees(bundle.recipe), 0.4), (bundle, 0.6))
    bundle.save(path, lab.catalog)
    return kind, path, *archive.load(path, "model")


def load(path, lab):
    return Bundle.load(path, lab.catalog, torch.device("cpu"))


def forged(saved, tmp_path, change):
    """The file with its document and tensors changed, and a checksum that fits."""
    _, _, document, tensors = saved
    document, tensors = copy.deepcopy(document), dict(tensors)
    change(document, tensors)
    archive.save(tmp_path / "forged.aurify", "model", document, tensors)
    return tmp_path / "forged.aurify"


def test_predictions_do_not_depend_on_order_neighbours_or_chunks(saved, lab, frames):
    kind, path, *_ = saved
    bundle = load(path, lab)
    whole = bundle.predict(frames[kind])
    assert bundle.predict(frames[kind].reverse()).reverse().equals(whole)
    one = pl.concat([bundle.predict(frames[kind][i : i + 1]) for i in range(20)])
    numbers = [c for c in whole.columns if whole[c].dtype == pl.Float64]
    for name in numbers:
        assert abs(one[name] - whole[name][:20]).max() < 1e-6


def test_target_is_not_needed_and_not_looked_at(saved, lab, frames):
    kind, path, *_ = saved
    bundle = load(path, lab)
    whole = bundle.predict(frames[kind])
    assert bundle.predict(frames[kind].drop("y")).equals(whole)
    assert bundle.predict(frames[kind].with_columns(y=pl.lit("nonsense"))).equals(whole)


def test_everything_missing_is_still_predicted(saved, lab, frames):
    kind, path, *_ = saved
    empty = frames[kind].head(3).with_columns(pl.lit(None).alias(c) for c in frames[kind].columns)
    unknown = frames[kind].head(3).with_columns(a=pl.lit("?"), b=pl.lit("words"), colour=pl.lit("☃"), shape=pl.lit(7))
    for frame in (empty, unknown):
        predicted = load(path, lab).predict(frame)
        assert predicted.height == 3
        assert predicted.null_count().sum_horizontal().item() == 0


def test_missing_columns_are_named_and_extra_ones_said(saved, lab, frames):
    kind, path, *_ = saved
    with pytest.raises(AurifyError, match=r"lacks 2 column\(s\) the model needs: 'b', 'shape'"):
        load(path, lab).predict(frames[kind].drop("b", "shape"))
    answer = load(path, lab).answer(frames[kind].with_columns(extra=1))
    assert any("'extra'" in note for note in answer.notes)


def test_unknown_step_is_refused_with_the_way_out(saved, lab, tmp_path):
    def change(document, tensors):
        document["members"][0]["layers"][0]["name"] = "os.system"

    with pytest.raises(AurifyError, match=r"step 'os.system' is unknown here.*--parts"):
        load(forged(saved, tmp_path, change), lab)


@pytest.mark.parametrize(
    "name", ["forward", "__class__", "_buffers", "inputs", "to", "encode", "a b", "", "register_buffer", "_x"]
)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_step_cannot_replace_what_a_step_does(saved, lab, tmp_path, name, as_tensor):
    def change(document, tensors):
        if as_tensor:
            document["members"][0]["layers"][0]["tensors"].append(name)
            tensors[f"members/0/layers/0/{name}"] = torch.zeros(1)
        else:
            document["members"][0]["layers"][0]["config"][name] = 5

    with pytest.raises(AurifyError, match="that no step may have"):
        load(forged(saved, tmp_path, change), lab)


def changed_values(document, tensors):
    """Every single value of a document, and every tensor, in wrong ways."""
    for group in ("layers", "answers"):
        for at, step in enumerate(document["members"][0][group]):
            for key in ("name", "config", "tensors"):
                yield f"{group}.{at}.{key} gone", lambda d, t, g=group, a=at, k=key: d["members"][0][g][a].pop(k)
            for field in step["config"]:
                for value in (None, [], {}, -1, 10**12, "x", [10**12], [-1, -1]):
                    yield (
                        f"{group}.{at}.{field} = {value!r}",
                        lambda d, t, g=group, a=at, f=field, v=value: d["members"][0][g][a]["config"].__setitem__(f, v),
                    )
            for field in step["tensors"]:
                name = f"members/0/{group}/{at}/{field}"
                for word, wrong in wrong_tensors(tensors[name]).items():
                    yield f"{name} {word}", lambda d, t, n=name, w=wrong: t.__setitem__(n, w)
                yield f"{name} gone", lambda d, t, n=name: t.pop(n)
                yield (
                    f"{name} unlisted",
                    lambda d, t, g=group, a=at, f=field: d["members"][0][g][a]["tensors"].remove(f),
                )
    for name in [n for n in tensors if n.startswith("members/0/network/")]:
        yield f"{name} gone", lambda d, t, n=name: t.pop(n)
        yield f"{name} longer", lambda d, t, n=name: t.__setitem__(n, torch.cat([t[n].flatten(), t[n].flatten()]))
    yield "a weight too many", lambda d, t: t.__setitem__("members/0/network/extra", torch.zeros(1))
    for key in ("name", "weight", "network", "layers", "answers"):
        yield f"member.{key} gone", lambda d, t, k=key: d["members"][0].pop(k)
        for value in (None, 5, "x", [], {}, [5]):
            yield f"member.{key} = {value!r}", lambda d, t, k=key, v=value: d["members"][0].__setitem__(k, v)
    for key in ("recipe", "schema", "members"):
        yield f"{key} gone", lambda d, t, k=key: d.pop(k)
        for value in (None, 5, "x", [], {}, [5]):
            yield f"{key} = {value!r}", lambda d, t, k=key, v=value: d.__setitem__(k, v)
    for key in ("columns", "target", "classes"):
        for value in (None, 5, "x", [], {}, [5], [{}]):
            yield f"schema.{key} = {value!r}", lambda d, t, k=key, v=value: d["schema"].__setitem__(k, v)


def wrong_tensors(tensor):
    longer = torch.cat([tensor.flatten(), tensor.flatten()])
    found = {"longer": longer, "empty": tensor.flatten()[:0], "square": torch.zeros(2, 2, dtype=tensor.dtype)}
    if tensor.dtype == torch.int64:
        found |= {"huge": torch.full_like(tensor, 2**40), "negative": torch.full_like(tensor, -(2**40))}
    return found


@pytest.mark.slow
def test_whatever_is_wrong_inside_is_said_in_one_line(saved, lab, frames, tmp_path):
    """With a checksum that fits: refused when loaded, or when it predicts, never with a traceback."""
    kind, _, document, tensors = saved
    strange = []
    for word, change in changed_values(document, tensors):
        path = forged(saved, tmp_path, change)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load(path, lab).predict(frames[kind])
        except AurifyError as error:
            if "\n" in str(error):
                strange.append((word, str(error)))
        except Exception as error:
            strange.append((word, f"{type(error).__name__}: {error}".splitlines()[0]))
    assert not strange, "\n".join(f"{w}: {e}" for w, e in strange)


BOMBS = {
    "width": lambda d, t: d.__setitem__("recipe", d["recipe"].replace("width: 16", "width: 65536")),
    "depth": lambda d, t: d.__setitem__(
        "recipe", d["recipe"].replace("depth: 2", "depth: 256").replace("width: 16", "width: 65536")
    ),
    "embedding": lambda d, t: step(d, "Encode")["config"].update(sizes=[2**40] * 2, hot_up_to=0),
    "one_hot": lambda d, t: step(d, "Encode")["config"].update(sizes=[2**40] * 2, hot_up_to=2**50),
}


def step(document, name):
    return next(s for s in document["members"][0]["layers"] if s["name"].endswith(name))


@pytest.mark.slow
@pytest.mark.parametrize("saved", ["classify"], indirect=True)
def test_model_that_asks_for_more_memory_than_there_is_costs_none(saved, lab, tmp_path):
    """In a process that may not grow by more than 1 GiB: refused in one line, not killed."""
    paths = []
    for name, change in BOMBS.items():
        path = forged(saved, tmp_path, change).rename(tmp_path / f"{name}.aurify")
        assert path.stat().st_size < 200_000
        paths.append(str(path))
    code = f"""
import resource, torch
from pathlib import Path
from aurify import catalog
from aurify.core.errors import AurifyError
from aurify.ship.blending import blended
from aurify.ship.bundle import Bundle
found = catalog.load()
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 2**30, now + 2**30))
for path in {paths!r}:
    try:
        Bundle.load(Path(path), found, torch.device("cpu"))
        print("loaded", path)
    except AurifyError as error:
        assert "\\n" not in str(error)
        print("refused")
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("address space limits are Linux's")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.split() == ["refused"] * len(BOMBS), done.stdout + done.stderr[-2000:]
