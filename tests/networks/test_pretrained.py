"""Pretrained encoders: what transformers says of a text, tuned in three ways, from safe files alone."""

import json
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from unittest import SkipTest

import polars as pl
import pytest
import torch
from encoder_folders import SAID, encoder_folder
from tokenizers import Tokenizer, models

from aurify import catalog as catalogs
from aurify.blocks.encoder import FAMILIES, Description, Encoder
from aurify.blocks.foreign import LIMITS, foreign_in
from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.parts import Trait, knob
from aurify.core.ragged import PAD, from_texts
from aurify.core.types import Input
from aurify.data import prepare
from aurify.data.characters import SPECIAL
from aurify.data.encoder_files import find
from aurify.data.encoders import EncoderTokens, FrozenTexts
from aurify.data.subwords import ids_of
from aurify.networks import pretrained
from aurify.ship.bundle import Bundle
from aurify.techniques import frozen_encoder
from aurify.testing.suite import checks
from aurify.training import fit as loop

transformers = pytest.importorskip("transformers", reason="pretrained encoders need transformers")

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return encoder_folder(tmp_path_factory.mktemp("encoder") / "bert")


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the folder that a test may spoil."""
    return shutil.copytree(folder, tmp_path / "copy")


def loaded(folder, pooling="mean", length=60):
    """An encoder with its weights, and the layer that makes its tokens."""
    layer = EncoderTokens.fit(str(folder), pooling, length)
    encoder = Encoder(layer.description).eval()
    weights = find(str(folder)).weights(pooling == "pooler")
    assert not encoder.model.load_state_dict(weights, strict=False).unexpected_keys
    return encoder, layer


def theirs(folder, *texts, pooling="mean"):
    """What transformers itself says of one text, or of two as segments."""
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    with torch.no_grad():
        said = model(**tokenizer(*texts, return_tensors="pt", split_special_tokens=True))
    ways = {"mean": lambda: said.last_hidden_state.mean(1), "cls": lambda: said.last_hidden_state[:, 0]}
    return (ways[pooling]() if pooling in ways else said.pooler_output)[0]


@pytest.mark.parametrize("kind", FAMILIES)
@torch.no_grad()
def test_every_family_answers_as_transformers_does_however_far_it_is_padded(kind, tmp_path):
    folder = encoder_folder(tmp_path / kind, kind)
    encoder, layer = loaded(folder)
    tokens = layer.tokens(from_texts([*SAID, "good [SEP] </s> room"]))
    alone, wide = encoder(tokens.padded()), encoder(tokens.padded(48))
    torch.testing.assert_close(alone, wide, atol=1e-6, rtol=1e-5)
    for at, text in enumerate([*SAID, "good [SEP] </s> room"]):
        torch.testing.assert_close(alone[at], theirs(folder, text), atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(encoder(tokens[torch.tensor([at])].padded())[0], alone[at], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_is_rebuilt_without_memory_and_draws_by_seed_step_and_row(kind, tmp_path):
    encoder, layer = loaded(encoder_folder(tmp_path / kind, kind))
    tokens = layer.tokens(from_texts(SAID)).padded()
    with torch.device("meta"):
        again = Encoder(layer.description)
    again.load_state_dict(encoder.state_dict(), strict=True, assign=True)
    assert torch.equal(again.eval()(tokens), encoder(tokens))
    draws = rng.Draws(5)
    rng.attach(encoder.train(), draws)
    for module in encoder.modules():
        if isinstance(module, rng.Stochastic):
            module.rate = 0.3

    def said(step, start, rows):
        draws.at(step, start, len(tokens))
        with torch.no_grad():
            return encoder(rows)

    whole = said(3, 0, tokens)
    torch.manual_seed(99)
    assert torch.equal(said(3, 0, tokens), whole)
    torch.testing.assert_close(said(3, 2, tokens[2:]), whole[2:], atol=1e-6, rtol=1e-5)
    assert not torch.equal(said(4, 0, tokens), whole)


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
@torch.no_grad()
def test_poolings_and_second_segments_are_those_of_transformers(pooling, folder):
    encoder, layer = loaded(folder, pooling)
    one, two = SAID[0], SAID[2]
    tokens = layer.tokens(from_texts([one, two], columns=2))
    torch.testing.assert_close(encoder(tokens.padded())[0], theirs(folder, one, two, pooling=pooling))


def test_tokens_are_ours_in_their_special_ids_and_words_stand_for_them(folder):
    layer = EncoderTokens.fit(str(folder), "mean", 6)
    rows = layer.tokens(from_texts(["the room was \U0001f600", "", "good " * 50]))
    given = layer.inputs({"texts": Input("texts", (1, -1), ("said",))})["tokens"]
    assert given.vocabulary[: len(SPECIAL)] == SPECIAL
    assert given.cardinalities == (len(given.vocabulary),) == (layer.description.vocabulary,)
    assert len(set(given.vocabulary)) == len(given.vocabulary)
    words = [
        [given.vocabulary[at] for at in row.values.tolist()] for row in (rows[torch.tensor([k])] for k in range(3))
    ]
    assert words[0][:3] == ["the", "room", "was"]
    assert words[0][3] == words[1][0] == "<unknown>"
    assert words[2] == ["good"] * 6
    assert PAD not in rows.values


def test_lone_surrogates_and_null_characters_become_tokens(folder):
    layer = EncoderTokens.fit(str(folder), "mean", 6)
    assert len(layer.tokens(from_texts(["a\ud800b", "\x00", "\ufffe"]))) == 3


def test_weights_of_a_model_with_a_head_and_of_old_names_are_found(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = encoder_folder(tmp_path / "headed", headed=True)
    file = folder / "model.safetensors"
    new = load_file(file)
    assert any(k.startswith("bert.") for k in new)
    encoder, layer = loaded(folder)
    tokens = layer.tokens(from_texts(SAID)).padded()
    old = {
        k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v
        for k, v in new.items()
    }
    assert old.keys() != new.keys()
    save_file(old, file)
    assert torch.equal(loaded(folder)[0](tokens), encoder(tokens))
    with pytest.raises(AurifyError, match=r"its weights lack 'pooler\.dense\.bias'"):
        find(str(folder)).weights(pooler=True)


@torch.no_grad()
def test_weights_in_shards_are_read(folder, copied):
    from safetensors.torch import load_file, save_file

    every = load_file(copied / "model.safetensors")
    (copied / "model.safetensors").unlink()
    names = {key: f"model-0000{1 + at % 2}-of-00002.safetensors" for at, key in enumerate(every)}
    for shard in set(names.values()):
        save_file({k: v for k, v in every.items() if names[k] == shard}, copied / shard)
    (copied / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    tokens = loaded(folder)[1].tokens(from_texts(SAID)).padded()
    assert torch.equal(loaded(copied)[0](tokens), loaded(folder)[0](tokens))


@pytest.mark.parametrize("way", ["cls", "mean"])
@torch.no_grad()
def test_folder_of_sentence_transformers_is_pooled_and_normalised_as_it_says(way, tmp_path):
    folder = encoder_folder(tmp_path / "sentences", sentences=way)
    layer = EncoderTokens.fit(str(folder), "auto", 60)
    assert (layer.description.pooling, layer.description.normalise) == (way, True)
    encoder = Encoder(layer.description).eval()
    encoder.model.load_state_dict(find(str(folder)).weights(False), strict=False)
    said = encoder(layer.tokens(from_texts(SAID)).padded())
    expected = torch.stack([theirs(folder, text, pooling=way) for text in SAID])
    torch.testing.assert_close(said, torch.nn.functional.normalize(expected, dim=1))


# --- trained


def recipe(lab, folder, tuning, techniques=None, **settings):
    network = {"name": "pretrained", "model": str(folder), "tuning": tuning, **settings}
    return lab.recipe("text", techniques, network=network)


def moved(lab, asked):
    """Names of the weights that training changed."""
    before = loop.build(asked, lab.problem(asked).signature).state_dict()
    after = lab.fitted(asked).weights()
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_frozen_encoder_is_no_part_of_the_network_and_its_own_weights_stay(lab, folder):
    fitted = lab.fitted(recipe(lab, folder, "frozen"))
    assert {name.partition(".")[0] for name in fitted.weights()} == {"leave"}
    layer = next(each for each in fitted.problem.layers if isinstance(each, FrozenTexts))
    stored = find(str(folder)).weights(False)
    kept = {k.removeprefix("encoder__model__").replace("__", "."): v for k, v in layer.tensors().items()}
    assert all(torch.equal(kept[name], value) for name, value in stored.items())
    values = fitted.problem.feed.inputs["encoded"]
    assert values.mean(0).abs().max() < 1e-5
    assert (values.std(0, unbiased=False) - 1).abs().max() < 1e-4


def test_frozen_encoder_meets_each_text_once(lab, folder, monkeypatch):
    rows = []
    forward = Encoder.forward
    monkeypatch.setattr(Encoder, "forward", lambda self, tokens: rows.append(len(tokens)) or forward(self, tokens))
    view = prepare.view_of(lab.store("text"), torch.arange(100).numpy(), 0)
    layer = FrozenTexts.fit(view, str(folder), "mean", 60)
    first = sum(rows)
    again = layer({"texts": view.values["texts"]})
    assert sum(rows) == first
    assert again["encoded"].shape == (100, 32)


def test_lora_moves_its_matrices_and_the_head_alone_and_begins_as_the_encoder_is(lab, folder):
    asked = recipe(lab, folder, "lora")
    changed = moved(lab, asked)
    assert {n for n in changed if ".product." not in n} == {"leave.weight", "leave.bias"}
    products = {n for n in lab.fitted(asked).weights() if ".product." in n}
    assert products <= changed
    assert sum("attention.self.query" in n for n in products) == 4  # two matrices in two blocks
    model = loop.build(asked, lab.problem(asked).signature).eval()
    plain = loop.build(recipe(lab, folder, "full"), lab.problem(asked).signature).eval()
    tokens = torch.randint(1, 40, (4, 12), generator=torch.Generator().manual_seed(0))
    assert torch.equal(foreign_in(model)(tokens), foreign_in(plain)(tokens))


def test_full_tuning_moves_all_that_the_answer_depends_on(lab, folder):
    asked = recipe(lab, folder, "full", pooling="pooler")
    names = {name for name, _ in loop.build(asked, lab.problem(asked).signature).named_parameters()}
    assert names - moved(lab, asked) == set()
    mean = recipe(lab, folder, "full")
    assert not any("pooler" in n for n in lab.fitted(mean).weights())


def rates(lab, asked):
    run = loop.begin(asked, lab.problem(asked), CPU, 12)
    names = {id(p): name for name, p in run.model.named_parameters()}
    groups = loop.make_optimizer(run).param_groups
    return {names[id(p)]: g.get("rate", 1.0) for g in groups for p in g["params"]}


@pytest.mark.parametrize(
    ("tuning", "settings", "rate"), [("full", {}, 0.01), ("lora", {}, 0.1), ("full", {"rate": 0.5}, 0.5)]
)
def test_encoder_learns_at_a_share_of_the_heads_rate(lab, folder, tuning, settings, rate):
    found = rates(lab, recipe(lab, folder, tuning, **settings))
    assert {name.startswith("enter.entries.tokens"): each for name, each in found.items()} == {True: rate, False: 1.0}


def test_layer_rates_decay_block_by_block_and_leave_what_is_beside_the_encoder_near_the_head(lab, folder):
    techniques = {"layer_rates": {"decay": 0.5}, "encode_categories": {"method": "embedding"}}
    found = rates(lab, recipe(lab, folder, "full", techniques, rate=1.0))
    by = {"leave": 1.0, "tables": 0.5, "layer.1": 0.25, "layer.0": 0.125, "embeddings": 0.0625}
    beside = any("tables" in name for name in found)
    for name, rate in found.items():
        place = next(k for k in by if k in name)
        assert rate == by[place] * (1 if beside or place in ("leave", "tables") else 2), name


@pytest.mark.parametrize("tuning", ["frozen", "lora", "full"])
def test_saved_model_predicts_the_same_without_the_folder_or_the_hub(lab, folder, tmp_path, tuning, monkeypatch):
    copy = shutil.copytree(folder, tmp_path / "gone")
    fitted = lab.fitted(recipe(lab, copy, tuning))
    bundle = lab.bundle(fitted)
    frame = lab.frames["text"]
    before = bundle.predict(frame)
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    shutil.rmtree(copy)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = Bundle.load(tmp_path / "model.aurify", catalogs.load(), CPU)
    assert again.predict(frame).equals(before)
    words = frame.with_columns(pl.lit("good lovely swift good").alias("said"))
    assert not again.predict(words).equals(before)


def part_with(base, folder, **more):
    """The part with the folder as its default, so that the contract suite can make it."""
    fields = {"model": knob(str(folder), "folder of the encoder", file=True)}
    body = {"__annotations__": {"model": str}, **fields, "needs": frozenset({Trait.TEXTS}), "__doc__": base.__doc__}
    made = type(f"Tiny{base.__name__}", (base,), {**body, "__module__": __name__, **more})
    return dataclass(kw_only=True)(made)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["network", "technique"])
def test_part_keeps_every_promise_of_the_contract_suite(folder, name):
    bases = {
        "network": (pretrained.Pretrained, {}),
        "technique": (frozen_encoder.FrozenEncoder, {"vivid": {"pooling": "cls"}}),
    }
    base, more = bases[name]
    tried = 0
    for _, check in checks(part_with(base, folder, **more)):
        try:
            check()
        except SkipTest:
            continue
        except (
            AssertionError
        ) as error:  # techniques that change texts while training say that a frozen encoder reads none
            if "this one reads none" not in str(error):
                raise
        tried += 1
    assert tried > 30


# --- asked for


@pytest.mark.slow
def test_network_takes_the_place_of_a_tokenizer_and_says_so(folder, tmp_path, lab, words):
    (tmp_path / "cut.py").write_text(CUT)
    lab.frames["text"].write_csv(tmp_path / "reviews.csv")
    recipe = tmp_path / "own.yaml"
    recipe.write_text("techniques:\n  cut:\n")
    asked = ["fit", tmp_path / "reviews.csv", "--target", "y", "--parts", tmp_path / "cut.py"]
    asked += ["--set", "network=pretrained", "--set", f"network.model={folder}", "--set", "budget.steps=2"]
    found = words(*asked, "--recipe", recipe, "--out", tmp_path / "one", check=False)
    assert "pretrained takes the place of cut (slot tokens)" in found.out + found.err
    refused = words(*asked, "--with", "cut", "--out", tmp_path / "two", check=False)
    assert refused.code == 2
    assert "'cut' does not fit: the network 'pretrained' fills the slot 'tokens' itself; leave it out" in refused.err


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["network", "technique"])
def test_frozen_encoder_leaves_out_what_would_change_tokens_later_unless_it_is_asked_for(
    folder, tmp_path, lab, words, choice
):
    lab.frames["text"].write_csv(tmp_path / "reviews.csv")
    asked = ["fit", tmp_path / "reviews.csv", "--target", "y", "--set", "budget.steps=2", "--no-inspect"]
    if choice == "network":
        asked += ["--set", "network=pretrained", "--set", f"network.model={folder}"]
    else:
        asked += ["--set", "network=mlp", "--with", f"frozen_encoder.model={folder}"]
    found = words(*asked, "--out", tmp_path / "one")
    assert "not changed later: left out is token_dropout" in found.out + found.err
    assert "token_dropout" not in (tmp_path / "one" / "recipe.yaml").read_text()
    refused = words(*asked, "--with", "token_dropout", "--out", tmp_path / "two", check=False)
    assert refused.code == 2
    assert "token_dropout changes texts while a network learns, and this one reads none" in refused.err


CUT = '''
from dataclasses import dataclass
from aurify.core.parts import Technique, Trait

@dataclass(kw_only=True)
class Cut(Technique):
    """Tokens of one's own. Helps: never. Hurts: always."""

    slot = "tokens"
    needs = frozenset({Trait.TEXTS})

    def layer(self, view):
        return None
'''


def test_parts_that_need_an_encoder_say_how_to_name_one(lab):
    with pytest.raises(
        AurifyError, match=r"'pretrained' does not fit: it needs a pretrained encoder.*network\.model=NAME"
    ):
        lab.recipe("text", network={"name": "pretrained"})
    with pytest.raises(AurifyError, match=r"frozen_encoder\.model=NAME"):
        lab.recipe("text", {"frozen_encoder": {}})


def test_other_tokens_are_refused(lab, folder):
    signature = lab.problem(lab.recipe("text")).signature
    with pytest.raises(AurifyError, match="tokens of its own model only"):
        pretrained.Pretrained(model=str(folder), tuning="full").build(signature)


def test_study_measures_anew_what_another_folder_of_the_same_name_makes(lab, copied):
    files = recipe(lab, copied, "full").network.files
    assert {file.rpartition("/")[2] for file in files} >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert pretrained.Pretrained(model="owner/model").files == ()


def test_network_of_tokens_beside_a_frozen_encoder_is_refused_in_words(lab, folder):
    asked = lab.recipe("text", {"frozen_encoder": {"model": str(folder)}}, network={"name": "textcnn"})
    with pytest.raises(AurifyError, match="the network reads words, and no column of texts is left"):
        lab.fit(asked)


def test_network_for_tables_learns_from_a_frozen_encoder(lab, folder):
    asked = lab.recipe("text", {"frozen_encoder": {"model": str(folder)}}, network={"name": "tabm", "width": 16})
    assert "encoded" in lab.fitted(asked).problem.signature.inputs


# --- files that must not be trusted


def test_folder_with_pickled_weights_is_refused_in_one_line_that_says_how_to_convert(copied):
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(AurifyError, match=r"pytorch_model\.bin.*only safetensors.*save_pretrained") as caught:
        find(str(copied))
    assert "\n" not in str(caught.value)


def test_pickled_weights_beside_safe_ones_are_not_looked_at(copied, folder):
    (copied / "pytorch_model.bin").write_bytes(b"never read")
    weights = find(str(copied)).weights(False)
    assert weights.keys() == find(str(folder)).weights(False).keys()


SPOILT = {
    "code": ({"auto_map": {"AutoModel": "evil.Model"}}, "auto_map"),
    "family": ({"model_type": "evil"}, "model_type 'evil'"),
    "no family": ({"model_type": None}, "names no model_type"),
    "quantized": ({"quantization_config": {"quant_method": "bnb"}}, "quantization_config"),
    "wide": ({"hidden_size": 10**12}, r"hidden_size = 1000000000000"),
    "deep": ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
    "many": ({"vocab_size": 10**15}, "vocab_size"),
    "long": ({"max_position_embeddings": 10**12}, "max_position_embeddings"),
    "negative": ({"num_hidden_layers": -1}, "num_hidden_layers"),
    "text": ({"hidden_size": "32"}, "hidden_size"),
    "infinite": ({"layer_norm_eps": float("inf")}, "layer_norm_eps"),
    "activation": ({"hidden_act": "evil"}, "evil"),
    "indivisible": ({"num_attention_heads": 7}, "7"),
    "larger than its weights": ({"hidden_size": 64}, "in its config.json"),
    "deeper than its weights": ({"num_hidden_layers": 3}, "its weights lack"),
    "huge within limits": ({"vocab_size": LIMITS["vocab_size"], "hidden_size": LIMITS["hidden_size"]}, "in its config"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_hostile_config_is_refused_before_memory_is_taken(copied, name):
    changes, said = SPOILT[name]
    plain = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**plain, **changes}))
    tracemalloc.start()
    try:
        with pytest.raises(AurifyError, match=said) as caught:
            find(str(copied)).weights(False)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_kernels_and_attention_named_in_a_config_are_not_fetched(copied):
    plain = json.loads((copied / "config.json").read_text())
    evil = {"_attn_implementation": "evil/kernel", "attn_implementation": "evil/kernel", "use_kernels": True}
    steering = {"return_dict": False, "output_attentions": True, "chunk_size_feed_forward": 7, "dtype": "float16"}
    (copied / "config.json").write_text(json.dumps({**plain, **evil, **steering}))
    encoder, layer = loaded(copied)
    assert encoder(layer.tokens(from_texts(SAID)).padded()).shape == (len(SAID), 32)
    model = encoder.model
    assert model.config._attn_implementation == "sdpa"
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors", "tokenizer_config.json"])
@pytest.mark.parametrize("how", ["cut", "empty", "gone"])
def test_damaged_folders_are_refused_in_one_line(copied, file, how):
    data = (copied / file).read_bytes()
    (copied / file).write_bytes(data[: len(data) // 2] if how == "cut" else b"")
    if how == "gone":
        (copied / file).unlink()
    if (how, file) == ("gone", "tokenizer_config.json"):  # it has defaults
        loaded(copied)
        return
    with pytest.raises(AurifyError) as caught:
        loaded(copied)
    assert "\n" not in str(caught.value)


TOKENIZERS = {
    "ids of billions": (
        "tokenizer.json",
        lambda plain: plain["model"]["vocab"].update(w=4 * 10**9),
        "the id 4,000,000,000",
    ),
    "ids beyond": ("tokenizer.json", lambda plain: plain["model"]["vocab"].update(w=10**4), "the id 10,000"),
    "model": ("tokenizer.json", lambda plain: plain.update(model={"type": "Evil"}), "no tokenizer that can be read"),
    "no padding": ("tokenizer_config.json", lambda plain: plain.update(pad_token=None), "no token for padding"),
    "code": (
        "tokenizer_config.json",
        lambda plain: plain.update(auto_map={"AutoTokenizer": ["a.B", None]}),
        "auto_map",
    ),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_hostile_tokenizer_is_refused_in_one_line(copied, name):
    file, change, said = TOKENIZERS[name]
    plain = json.loads((copied / file).read_text())
    change(plain)
    (copied / file).write_text(json.dumps(plain))
    with pytest.raises(AurifyError, match=said) as caught:
        EncoderTokens.fit(str(copied), "mean", 30)
    assert "\n" not in str(caught.value)


def test_tokenizer_that_fails_at_a_text_is_no_mistake_of_ours():
    """Its model lacks the word for all others: the library tells only when it is needed."""
    tokenizer = Tokenizer(models.WordPiece({"a": 0}, unk_token="[UNK]"))
    assert ids_of(tokenizer, ["a"], 1).values.tolist() == [0]
    with pytest.raises(AurifyError, match="tokenizer fails"):
        ids_of(tokenizer, ["\U0001f600"], 1)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ([{"type": "sentence_transformers.models.Transformer", "path": "../.."}], "outside the folder"),
        ([{"type": "sentence_transformers.models.Dense", "path": ""}], "a step 'Dense'"),
        ([{"type": "evil.Code", "path": ""}], "a step 'Code'"),
        ({"a": 1}, "needed is a list"),
        ([1], "a step ''"),
    ],
)
def test_strange_layouts_are_refused(copied, modules, said):
    (copied / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(AurifyError, match=said):
        find(str(copied))


def test_index_that_names_files_elsewhere_is_refused(copied):
    (copied / "model.safetensors").unlink()
    index = {"weight_map": {"embeddings.word_embeddings.weight": "../../secret.safetensors"}}
    (copied / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(AurifyError, match="does not name files beside it"):
        find(str(copied))


@pytest.mark.parametrize(
    ("name", "said"), [("./nowhere", "there is no folder"), ("b c", "neither a folder"), ("/", "config.json")]
)
def test_names_of_nothing_are_refused_in_one_line(name, said):
    with pytest.raises(AurifyError, match=said):
        find(name)


def test_hub_out_of_reach_is_said_in_one_line(monkeypatch, tmp_path):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def fail(name, **options):
        assert name == "owner/model"
        assert not any("bin" in pattern for pattern in options["allow_patterns"])
        raise LocalEntryNotFoundError("cannot find the requested files")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(AurifyError, match="'owner/model' is no folder here, and the hub cannot be reached"):
        find("owner/model")


def test_model_of_the_hub_is_read_as_a_folder_is(monkeypatch, folder):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **options: str(folder))
    assert find("owner/model").config == find(str(folder)).config


@pytest.mark.parametrize(
    "changes",
    [
        {"special": [0, 1]},
        {"special": [0, 1, 3, 10**9]},
        {"vocabulary": 10**12},
        {"pooling": "evil"},
        {"config": {"model_type": "bert", "hidden_size": 10**12}},
        {"config": {"model_type": "evil"}},
    ],
)
def test_hostile_description_in_a_saved_model_is_refused(folder, changes):
    plain = json.loads(EncoderTokens.fit(str(folder), "mean", 6).about)
    with pytest.raises(AurifyError):
        Description.from_json(json.dumps({**plain, **changes}))


@pytest.mark.slow
def test_knowing_the_parts_imports_neither_transformers_nor_tokenizers():
    words = (
        "import sys, aurify.catalog as c; c.load(); print(*(p in sys.modules for p in ('transformers', 'tokenizers')))"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
