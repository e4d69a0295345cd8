"""Pretrained image encoders: what transformers says of an image, tuned in three ways, from safe files alone."""

import json
import shutil
import sys
import types
from dataclasses import dataclass
from unittest import SkipTest

import pytest
import torch
from image_encoder_folders import DEVIATION, MEAN, SIDE, SMALL, image_encoder_folder

from aurify import catalog as catalogs
from aurify.blocks.batch_norm import ImageBatchNorm
from aurify.blocks.image_encoder import FAMILIES, ImageDescription, ImageEncoder
from aurify.core.errors import AurifyError
from aurify.core.parts import Trait, knob
from aurify.core.pixels import Pixels
from aurify.data import prepare
from aurify.data.image_encoder_files import find_images
from aurify.data.image_encoders import EncoderPixels, FrozenImages
from aurify.networks import pretrained_image
from aurify.ship.bundle import Bundle
from aurify.testing.suite import checks
from aurify.training import fit as loop

transformers = pytest.importorskip("transformers", reason="pretrained encoders need transformers")

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return image_encoder_folder(tmp_path_factory.mktemp("encoder") / "vit")


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the folder that a test may spoil."""
    return shutil.copytree(folder, tmp_path / "copy")


def loaded(folder, pooling="auto", size=0):
    files = find_images(str(folder))
    encoder = ImageEncoder(files.describe(pooling, size or None)).eval()
    weights = files.weights(encoder.about.pooling == "pooler")
    assert not encoder.model.load_state_dict(weights, strict=False).unexpected_keys
    return encoder


def drawn(count=3, side=SIDE, channels=3, seed=0):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


def theirs(folder, images, **more):
    """What transformers itself says of images that are of the encoder's size."""
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    with torch.no_grad():
        return model(pixel_values=(images - mean) / deviation, **more)


@pytest.mark.parametrize("kind", sorted(SMALL))
@torch.no_grad()
def test_every_family_answers_as_transformers_does_and_is_rebuilt_without_memory(kind, tmp_path):
    folder = image_encoder_folder(tmp_path / kind, kind)
    encoder, images = loaded(folder), drawn()
    said = theirs(folder, images)
    expected = said.last_hidden_state[:, 0] if FAMILIES[kind] == "cls" else said.pooler_output.flatten(1)
    torch.testing.assert_close(encoder(images), expected, atol=1e-5, rtol=1e-4)
    assert encoder.width == expected.shape[1]
    with torch.device("meta"):
        again = ImageEncoder(encoder.about)
    again.load_state_dict(encoder.state_dict(), strict=True, assign=True)
    assert torch.equal(again.eval()(images), encoder(images))


def test_every_family_but_that_of_timm_is_tried():
    assert set(SMALL) | {"timm_wrapper"} == set(FAMILIES)


@torch.no_grad()
def test_mean_is_over_patches_and_over_places_and_no_token_of_another_kind(tmp_path):
    for kind, before in (("vit", 1), ("deit", 2), ("dinov2_with_registers", 3), ("swin", 0), ("resnet", 0)):
        folder = image_encoder_folder(tmp_path / kind, kind)
        last = theirs(folder, drawn()).last_hidden_state
        expected = last.mean((2, 3)) if last.ndim == 4 else last[:, before:].mean(1)
        torch.testing.assert_close(loaded(folder, "mean")(drawn()), expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_weights_of_a_classifier_are_found_under_its_head(tmp_path):
    for kind in ("vit", "resnet"):
        headed = image_encoder_folder(tmp_path / kind, kind, headed=True)
        model = transformers.AutoModelForImageClassification.from_pretrained(str(headed)).eval()
        own = {k.removeprefix(f"{kind}."): v for k, v in model.state_dict().items()}
        kept = loaded(headed).model.state_dict()
        assert kept.keys() <= own.keys()
        assert all(torch.equal(value, own[name]) for name, value in kept.items())


@torch.no_grad()
def test_images_are_brought_to_the_size_asked_for_and_places_between_those_learnt(folder):
    small, images = loaded(folder, size=16), drawn(side=16)
    said = theirs(folder, images, interpolate_pos_encoding=True).last_hidden_state[:, 0]
    torch.testing.assert_close(small(images), said, atol=1e-5, rtol=1e-4)
    shrunk = torch.nn.functional.interpolate(drawn(side=40), (16, 16), mode="bilinear", antialias=True)
    torch.testing.assert_close(small(drawn(side=40)), small(shrunk))


@torch.no_grad()
def test_gray_images_are_seen_as_gray_ones_of_three_channels(folder):
    gray = drawn(channels=1)
    torch.testing.assert_close(loaded(folder)(gray), loaded(folder)(gray.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize(
    ("said", "size", "mean"),
    [
        ({"size": {"height": 16, "width": 20}}, (16, 20), MEAN),
        ({"size": {"shortest_edge": 32}, "crop_size": {"height": 24, "width": 24}}, (24, 24), MEAN),
        ({"size": 18}, (18, 18), MEAN),
        ({"do_normalize": False}, (SIDE, SIDE), (0.0, 0.0, 0.0)),
    ],
)
def test_preprocessor_config_says_how_images_are_prepared(copied, said, size, mean):
    file = copied / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **said}))
    about = find_images(str(copied)).describe("auto", None)
    assert (about.size, about.mean) == (size, tuple(mean))
    assert find_images(str(copied)).describe("auto", 48).size == (48, 48)


def test_folder_without_preprocessor_config_has_the_sizes_of_its_config_and_the_means_of_imagenet(copied):
    (copied / "preprocessor_config.json").unlink()
    about = find_images(str(copied)).describe("auto", None)
    assert (about.size, about.mean) == ((SIDE, SIDE), (0.485, 0.456, 0.406))


# --- trained


def recipe(lab, folder, tuning, techniques=None, **settings):
    network = {"name": "pretrained_image", "model": str(folder), "tuning": tuning, **settings}
    return lab.recipe("image", techniques, network=network)


def moved(lab, asked):
    """Names of the weights that training changed."""
    before = loop.build(asked, lab.problem(asked).signature).state_dict()
    after = lab.fitted(asked).weights()
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_frozen_encoder_sees_each_image_once_and_is_no_part_of_the_network(lab, folder, monkeypatch):
    rows = []
    forward = ImageEncoder.forward
    monkeypatch.setattr(ImageEncoder, "forward", lambda self, x: rows.append(len(x)) or forward(self, x))
    asked = recipe(lab, folder, "frozen")
    problem = lab.problem(asked)
    assert sum(rows) <= len(lab.store("image"))
    fitted = lab.fit(asked, problem=problem)
    assert sum(rows) <= len(lab.store("image"))
    assert {name.partition(".")[0] for name in fitted.weights()} == {"leave"}
    values = problem.feed.inputs["encoded"]
    assert values.mean(0).abs().max() < 1e-5
    assert (values.std(0, unbiased=False) - 1).abs().max() < 1e-4


@torch.no_grad()
def test_vectors_are_the_same_whether_kept_encoded_again_or_of_plain_tensors(lab, folder):
    view = prepare.view_of(lab.store("image"), torch.arange(70).numpy(), 0)
    layer = FrozenImages.fit(view, str(folder), "auto", 0)
    images = view.values["images"]
    assert isinstance(images, Pixels)
    fresh = FrozenImages(**layer.config, **layer.tensors())
    expected = layer.own["encoded"]
    for found in (layer(dict(view.values)), fresh(dict(view.values)), fresh({"images": images.taken()})):
        torch.testing.assert_close(found["encoded"], expected, atol=1e-5, rtol=1e-5)


def test_lora_moves_its_matrices_and_the_head_alone(lab, folder):
    changed = moved(lab, recipe(lab, folder, "lora"))
    assert any(".product." in name for name in changed)
    assert {n.partition(".")[0] for n in changed if ".product." not in n} == {"meeting"}


def test_lora_of_convolutions_is_refused_in_words(lab, tmp_path):
    folder = image_encoder_folder(tmp_path / "resnet", "resnet")
    with pytest.raises(AurifyError, match=r"no linear layer 16 wide.*take tuning=full"):
        lab.fit(recipe(lab, folder, "lora"))


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_full_tuning_moves_all_that_the_answer_depends_on(lab, kind, tmp_path):
    folder = image_encoder_folder(tmp_path / kind, kind)
    asked = recipe(lab, folder, "full", rate=1.0)
    names = {name for name, _ in loop.build(asked, lab.problem(asked).signature).named_parameters()}
    assert {n for n in names - moved(lab, asked) if "mask_token" not in n} == set()


def test_statistics_of_a_frozen_norm_stay_and_those_of_a_learning_one_move():
    norm, x = ImageBatchNorm(3), drawn(8)
    norm.weight.requires_grad_(False)
    before = norm.running_mean.clone()
    torch.testing.assert_close(norm(x), norm.eval()(x))
    assert torch.equal(norm.running_mean, before)
    norm.train().weight.requires_grad_(True)
    norm(x)
    assert not torch.equal(norm.running_mean, before)
    one = norm(x[:1, :, :1, :1])
    assert torch.isfinite(one).all()


def test_normalize_beside_an_encoder_changes_nothing(lab, folder):
    plain = lab.fitted(recipe(lab, folder, "full"))
    beside = lab.fitted(recipe(lab, folder, "full", {"normalize": {}}))
    assert torch.equal(plain.held(), beside.held())


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "tuning"), [("resnet", "frozen"), ("resnet", "full")])
def test_saved_model_and_its_graph_predict_the_same_without_the_folder(lab, tmp_path, kind, tuning, monkeypatch):
    from aurify.ship import trial
    from aurify.ship.export import export

    folder = image_encoder_folder(tmp_path / "gone", kind)
    bundle = lab.bundle(lab.fitted(recipe(lab, folder, tuning)))
    frame = lab.frames["image"]
    before = bundle.predict(frame)
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    shutil.rmtree(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again, untried = (Bundle.load(tmp_path / "model.aurify", catalogs.load(), CPU) for _ in range(2))
    assert again.predict(frame).equals(before)
    rows = trial.with_gaps({n: v[:20] for n, v in lab.store("image").inputs.items()}, seed=0)
    assert export(untried, tmp_path / "m.onnx", rows, spread=1.0)["difference"] < 1e-5


def part_with(base, folder, **more):
    """The part with the folder as its default, so that the contract suite can make it."""
    fields = {"model": knob(str(folder), "folder of the encoder", file=True)}
    body = {"__annotations__": {"model": str}, **fields, "needs": frozenset({Trait.IMAGES}), "__doc__": base.__doc__}
    made = type(f"Tiny{base.__name__}", (base,), {**body, "__module__": __name__, **more})
    return dataclass(kw_only=True)(made)


@pytest.mark.slow
def test_part_keeps_every_promise_of_the_contract_suite(folder):
    tried = 0
    for name, check in checks(part_with(pretrained_image.PretrainedImage, folder)):
        if "pooling=" in name or check.case.other is not None or ("graph" in name and "default" not in name):
            continue  # the same again, at a second each
        try:
            check()
        except SkipTest:
            continue
        tried += 1
    assert tried > 30


# --- asked for


def test_names_of_timm_need_timm_and_say_so(folder):
    with pytest.raises(AurifyError, match=r"timm/resnet18.a1_in1k is a model of timm, .*: pip install timm"):
        find_images("timm/resnet18.a1_in1k")


def test_network_without_an_encoder_says_how_to_name_one(lab):
    with pytest.raises(
        AurifyError, match=r"'pretrained_image' does not fit: it needs a pretrained encoder.*model=NAME"
    ):
        lab.recipe("image", network={"name": "pretrained_image"})


def test_encoder_of_texts_is_refused_for_images_in_one_line(tmp_path):
    from encoder_folders import encoder_folder

    with pytest.raises(AurifyError, match=r"model_type 'bert' is not among the encoders used here: .*vit"):
        find_images(str(encoder_folder(tmp_path / "bert")))


# --- files that must not be trusted


SPOILT = {
    "code": ({"auto_map": {"AutoModel": "evil.Model"}}, "auto_map"),
    "wide": ({"hidden_size": 10**12}, "hidden_size = 1000000000000"),
    "deep": ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
    "large": ({"image_size": 10**9}, "image_size"),
    "larger than its weights": ({"intermediate_size": 64}, "its weights"),
    "deeper than its weights": ({"num_hidden_layers": 3}, "its weights lack"),
    "huge within limits": ({"hidden_size": 32_768, "num_attention_heads": 1}, "its files hold"),
    "channels": ({"num_channels": 4}, "4 channels"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_hostile_config_is_refused_in_one_line(copied, name):
    changes, said = SPOILT[name]
    plain = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**plain, **changes}))
    with pytest.raises(AurifyError, match=said) as caught:
        loaded(copied)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("depths", [[10**9, 1], [1, -1]])
def test_hostile_stages_are_refused_in_one_line(tmp_path, depths):
    folder = image_encoder_folder(tmp_path / "convnext", "convnext")
    plain = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**plain, "depths": depths}))
    with pytest.raises(AurifyError) as caught:
        find_images(str(folder)).weights(True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        {"image_std": [0, 1, 1]},
        {"image_mean": "evil"},
        {"image_mean": [1, 2]},
        {"size": {"height": 10**9, "width": 2}},
        {"size": {"height": "a", "width": 2}},
        {"rescale_factor": 1.0},
        {"image_std": [float("inf"), 1, 1]},
    ],
)
def test_strange_preparing_is_refused_in_one_line(copied, said):
    file = copied / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **said}))
    with pytest.raises(AurifyError) as caught:
        find_images(str(copied)).describe("auto", None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "preprocessor_config.json"])
@pytest.mark.parametrize("how", ["cut", "empty"])
def test_damaged_folders_are_refused_in_one_line(copied, file, how):
    data = (copied / file).read_bytes()
    (copied / file).write_bytes(data[: len(data) // 2] if how == "cut" else b"")
    with pytest.raises(AurifyError) as caught:
        loaded(copied)
    assert "\n" not in str(caught.value)


def test_pickled_weights_are_refused(copied):
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(AurifyError, match=r"pytorch_model\.bin.*only safetensors"):
        find_images(str(copied))


@pytest.mark.parametrize(
    "changes", [{"size": [0, 3]}, {"pooling": "evil"}, {"mean": ["a", 1, 2]}, {"config": {"model_type": "evil"}}]
)
def test_hostile_description_in_a_saved_model_is_refused(folder, changes):
    plain = json.loads(EncoderPixels.fit(str(folder), "auto", 0).about)
    with pytest.raises(AurifyError):
        ImageDescription.from_json(json.dumps({**plain, **changes}))


def test_folder_of_timm_goes_through_timm_where_it_is(copied, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", types.ModuleType("timm"))
    about = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "input_size": [3, 16, 20]}
    file = copied / "config.json"
    file.write_text(json.dumps({"architecture": "hf-hub:evil/model", "pretrained_cfg": about}))
    with pytest.raises(AurifyError, match="is no name of timm's own"):
        find_images(str(copied))
