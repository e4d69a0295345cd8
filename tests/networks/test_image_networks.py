"""Networks for images: shapes of every depth, places of every size, graphs that answer files without torch."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from torch import nn

from aurify import workbench
from aurify.blocks.batch_norm import ImageBatchNorm
from aurify.blocks.drop_path import DropPath
from aurify.blocks.entries import Flat
from aurify.core.errors import AurifyError
from aurify.core.types import Input, Signature
from aurify.networks.convnet import Convnet
from aurify.networks.mlp import Mlp
from aurify.networks.resnet import BLOCKS, Branch, Filters, Resnet
from aurify.networks.vit import Vit
from aurify.training import fit as loop


def signature(height=12, width=12, channels=3):
    return Signature({"images": Input("pixels", (height, width, channels), ("photo",), entry=Flat)}, 2)


def bytes_like(height=12, width=12, channels=3, count=4):
    drawn = torch.randint(0, 256, (count, height, width, channels), generator=torch.Generator().manual_seed(0))
    return drawn.to(torch.uint8)


@pytest.mark.parametrize("depth", BLOCKS)
def test_resnet_has_as_many_layers_with_weights_as_it_says(depth):
    with torch.device("meta"):
        model = Resnet(depth=depth, channels=8).build(signature(32, 32))
    counted = [m for m in model.modules() if isinstance(m, Filters) and "plain" not in m.__dict__]
    beside = sum(isinstance(b.plain, torch.nn.Sequential) for b in model.look.body)
    assert len(counted) - beside + 1 == depth
    assert len([m for m in model.modules() if isinstance(m, DropPath)]) == sum(BLOCKS[depth])


@pytest.mark.parametrize(("asked", "found"), [(9, 8), (17, 14), (19, 18), (33, 32), (49, 34)])
def test_other_depths_are_rounded_down(asked, found):
    with torch.device("meta"):
        models = [Resnet(depth=d, channels=8).build(signature()) for d in (asked, found)]
    one, other = ({n: p.shape for n, p in m.named_parameters()} for m in models)
    assert one == other


@pytest.mark.parametrize(
    ("side", "stem", "places"), [(64, "auto", 64), (65, "auto", 17), (32, "large", 8), (96, "small", 96)]
)
def test_small_images_keep_every_pixel_in_the_first_stage(side, stem, places):
    with torch.device("meta"):
        model = Resnet(depth=8, channels=8, stem=stem).build(signature(side, side))
        assert model.look.stem(torch.empty(1, 3, side, side)).shape == (1, 8, places, places)


def test_every_branch_begins_by_adding_nothing_and_learns_after():
    network = Resnet(depth=8, channels=8)
    model = network.build(signature())
    network.first_weights(model)
    branches = [m for m in model.modules() if isinstance(m, Branch)]
    x = torch.rand(4, 8, 6, 6)
    assert torch.equal(branches[0](x), torch.zeros(4, 8, 6, 6))
    model({"images": bytes_like()}).sum().backward()
    assert all(branch.last_norm.weight.grad.abs().sum() > 0 for branch in branches)


@pytest.mark.parametrize("network", [Resnet(depth=8, channels=8), Vit(width=16, heads=2, depth=2), Vit(pool="token")])
@pytest.mark.parametrize(("height", "width", "channels"), [(1, 1, 1), (5, 9, 3), (28, 28, 1)])
def test_images_of_every_shape_are_answered_and_so_are_those_of_another_size(network, height, width, channels):
    model = network.build(signature(height, width, channels)).train()
    for sides in ((height, width), (height + 3, width + 2)):
        one = model({"images": bytes_like(*sides, channels, count=1)})
        assert one.shape == (1, 2)
        assert torch.isfinite(one).all()


def test_vit_knows_where_a_patch_is():
    model = Vit(width=16, heads=2, depth=1, patch=4).build(signature(8, 8)).eval()
    images = bytes_like(8, 8)
    moved = torch.cat([images[:, 4:], images[:, :4]], 1)
    assert not torch.allclose(model({"images": images}), model({"images": moved}))
    torch.nn.init.zeros_(model.look.places.values)
    assert torch.allclose(model({"images": images}), model({"images": moved}), atol=1e-6)


def test_running_statistics_of_the_body_are_resumed_averaged_and_saved(lab, folder):
    """What a resumed run, and the saved model, know of the images beside weights."""
    network = {"name": "resnet", "depth": 8, "channels": 16}
    asked = lab.recipe("image", {"weight_averaging": {}, "sam": {}}, network=network)
    whole = lab.fitted(asked)
    statistics = {n: v for n, v in whole.weights().items() if "running" in n}
    assert statistics
    assert len(statistics) == 2 * sum(isinstance(m, ImageBatchNorm) for m in whole.run.model.modules())
    again = lab.fit_in_sittings(asked, folder, [5, 9])
    assert all(torch.equal(v, again.weights()[n]) for n, v in statistics.items())


def test_network_for_tables_sees_pixels_one_by_one_and_one_for_images_needs_some(lab):
    fitted = lab.fitted(lab.recipe("image", network={"name": "mlp", "width": 8}))
    assert any("entries.images" in name or name for name in fitted.weights())
    assert Mlp().build(signature())({"images": bytes_like()}).shape == (4, 2)
    with pytest.raises(AurifyError, match="'resnet' does not fit: it needs images among the inputs"):
        lab.recipe("classify", network={"name": "resnet"})
    with pytest.raises(AurifyError, match="looks at images, and there are none"):
        Resnet().build(Signature({}, 2))
    with pytest.raises(AurifyError, match="'textcnn' does not fit: it needs texts"):
        lab.recipe("image", network={"name": "textcnn"})


# --- layers that begin to learn later


def rates(lab, asked, share):
    run = loop.begin(asked, problem := lab.problem(asked), torch.device("cpu"), 100)
    del problem
    groups = loop.make_optimizer(run).param_groups
    run.step = round(100 * share)
    names = {id(p): n for n, p in run.model.named_parameters()}
    (technique,) = run.techniques
    found = {}
    for group in groups:
        rate = technique.schedule(run, group)
        for p in group["params"]:
            assert p.requires_grad == (rate > 0)
            found[names[id(p)]] = rate
    return found


def test_layers_join_from_the_head_down_and_all_learn_in_the_end(lab):
    network = {"name": "resnet", "depth": 8, "channels": 8}
    asked = lab.recipe("image", {"unfreeze": {"probe": 0.2, "whole": 0.6}}, network=network)
    counts = []
    for share in (0.0, 0.19, 0.2, 0.4, 0.6, 1.0):
        found = rates(lab, asked, share)
        counts.append(sum(found.values()))
        assert found["meeting.leave.weight"] == 1.0
    assert counts == sorted(counts)
    assert counts[0] == counts[1] == 2
    assert counts[1] < counts[2] < counts[3] < counts[4] == counts[5] == len(found)


def test_weights_and_statistics_that_wait_stay_bit_for_bit(lab):
    network = {"name": "resnet", "depth": 8, "channels": 8}
    techniques = {"unfreeze": {"probe": 1.0, "whole": 1.0}, "weight_decay": {}, "gradient_clipping": {}}
    asked = lab.recipe("image", techniques, network=network)
    before = loop.build(asked, lab.problem(asked).signature).state_dict()
    after = lab.fitted(asked).weights()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"meeting.leave.weight", "meeting.leave.bias"}


# --- shipped


@pytest.fixture
def photos(tmp_path):
    """A folder a class, of files in several forms."""
    random = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 180)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for at in range(20):
            pixels = random.integers(level - 50, level + 50, (20 + at % 3, 24, 3)).astype(np.uint8)
            suffix = ("png", "jpg", "bmp")[at % 3]
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{at}.{suffix}")
    return tmp_path / "photos"


@pytest.mark.slow
def test_exported_file_answers_files_where_there_is_no_torch(photos, tmp_path):
    settings = {"budget.steps": 6, "network.name": "resnet", "network.depth": 8, "network.channels": 16}
    run = workbench.fit(photos, settings=settings, out=tmp_path / "run", inspect=False)
    record = workbench.export(run.path, tmp_path / "m.onnx")
    assert record["difference"] < 1e-5
    assert record["inputs"] == {"images": list(run.bundle.pipeline.members[0].network.pictures.shape)}
    files = sorted(str(p) for p in photos.rglob("*.*"))[::7]
    pl.DataFrame({"image": files}).write_csv(tmp_path / "new.csv")
    code = f"""
import sys, json
sys.modules["torch"] = None
from pathlib import Path
import polars as pl
from aurify.ship.graph import Graph
graph = Graph(Path({str(tmp_path / "m.onnx")!r}))
print(json.dumps(graph.answer(graph.schema.parse(pl.read_csv({str(tmp_path / "new.csv")!r})).inputs).tolist()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = run.predict(tmp_path / "new.csv").select(pl.col("^p_.*$")).to_numpy()
    assert np.array(json.loads(done.stdout)) == pytest.approx(expected, abs=1e-5)
    alone = workbench.export(run.path / "model.aurify", tmp_path / "drawn.onnx")
    assert alone["difference"] < 1e-4
    import onnx

    (given,) = onnx.load(tmp_path / "m.onnx").graph.input
    assert given.name == "images"
    assert "uint8, rows of pixels of channels" in given.doc_string
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8


@pytest.mark.parametrize(("stride", "sides"), [(1, (12, 9)), (3, (12, 9)), (4, (17, 11)), (8, (8, 9))])
def test_convnet_goes_over_large_images_in_steps(stride, sides):
    network = Convnet(channels=8, stages=2, stride=stride)
    model = network.build(signature(*sides))
    first = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    assert first(torch.zeros(1, 3, *sides)).shape[2:] == tuple(side // stride for side in sides)
    assert model({"images": bytes_like(*sides)}).shape == (4, 2)
    with pytest.raises(AurifyError, match=r"stride = 10: images of .* pixels need a smaller one"):
        Convnet(stride=10).build(signature(9, 20))
