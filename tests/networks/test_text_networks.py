"""Networks for texts: deaf to padding, aware of order where they should be, and fed with vectors of any sound file."""

import gzip
import struct

import numpy as np
import pytest
import torch

from aurify.blocks.entries import Plain
from aurify.blocks.pooling import POOLS, AttentionPool, lengths_of, pool, real_tokens
from aurify.blocks.text_head import TextHead
from aurify.blocks.token_mean import TokenMean
from aurify.blocks.vector_files import vectors_of, width_of
from aurify.blocks.word_table import SPREAD, WordTable
from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.types import Blend, Input, Signature
from aurify.networks.bag import Bag
from aurify.networks.recurrent import CELLS, Recurrent, backwards
from aurify.networks.text_transformer import TextTransformer
from aurify.networks.textcnn import Textcnn
from aurify.ship.bundle import Bundle

WORDS = ("", "<unknown>", "<separator>", "<mask>", "good", "bad", "not", "Zug", "好", "very")
TOKENS = Input("tokens", (-1,), ("said",), (len(WORDS),), TokenMean, WORDS)
VECTORS = {"good": [1.0, 2.0, 3.0], "bad": [-1.0, 0.5, 0.25], "好": [4.0, 5.0, 6.0], "zug": [0.0, 1.0, 0.0]}
ORDERED = {
    "bigrams": Bag(width=8, ngrams=2, buckets=64),
    "textcnn": Textcnn(width=8, channels=6),
    "text_transformer": TextTransformer(width=8, heads=2),
    "attention": TextTransformer(width=8, heads=2, pool="attention"),
    "last": Recurrent(width=8, units=6, pool="last"),
    "ahead": Recurrent(width=8, units=6, pool="last", both=False),
    "deep": Recurrent(width=8, units=6, depth=2, pool="max"),
    **{cell: Recurrent(width=8, units=6, cell=cell) for cell in CELLS},
}
NETWORKS = {"words": Bag(width=8, ngrams=1), **ORDERED}


def signature(columns=0):
    table = {"numbers": Input("numbers", (columns,), tuple("abc"[:columns]), (), Plain)} if columns else {}
    return Signature({**table, "tokens": TOKENS}, 3)


def built(network, columns=0):
    """A network in double precision with weights that leave nothing at zero."""
    model = network.build(signature(columns))
    rng.initialise(model, 0)
    with rng.seeded(0, "first_weights"):
        network.first_weights(model)
    random = torch.Generator().manual_seed(1)
    for name, value in model.named_parameters():
        if name.endswith("sequences.weight"):
            value.data[1:] = torch.randn(value[1:].shape, generator=random)
        elif not value.any():
            value.data = torch.randn(value.shape, generator=random)
    return model.double().eval()


def rows(*texts, width=8):
    ids = torch.zeros(len(texts), width, dtype=torch.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = torch.tensor(text)
    return {"tokens": ids}


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]


@pytest.fixture(params=ORDERED)
def ordered(request):
    return ORDERED[request.param]


def test_padding_and_neighbours_change_nothing(network):
    model, text = built(network), [4, 6, 5, 9, 1]
    alone = model(rows(text, width=5))
    torch.testing.assert_close(model(rows(text, width=40)), alone, rtol=0, atol=1e-12)
    among = model(rows([5], [7] * 29, text, [1], width=32))
    torch.testing.assert_close(among[2:3], alone, rtol=0, atol=1e-12)


def test_rows_of_one_word_of_unknown_words_and_longer_than_any_are_answered(network):
    answers = built(network)(rows([4], [1], [1] * 700, [4, 5] * 350, [], width=700))
    assert torch.isfinite(answers).all()
    assert (answers[0] - answers[1]).abs().max() > 1e-6


def test_training_on_one_word_gives_finite_gradients(network):
    model = built(network).train()
    model(rows([4], [1, 5], [])).square().sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(g).all() for g in gradients)


def test_order_matters(ordered):
    one, other = built(ordered)(rows([6, 4, 9, 5], [5, 9, 4, 6])).unbind()
    assert (one - other).abs().max() > 1e-6


def test_order_does_not_matter_to_a_bag_of_words():
    one, other = built(NETWORKS["words"])(rows([6, 4, 9, 5], [5, 9, 4, 6])).unbind()
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_equal_sequences_share_a_bucket_wherever_they_stand_and_all_buckets_are_used():
    read = Bag(width=8, ngrams=3, buckets=50).build(signature()).read
    first, second = read.hashed(rows([4, 5, 6], [9, 4, 5, 6])["tokens"]).view(2, 2, 8).unbind()
    assert first[:, 0].tolist() == [0, 0]
    assert first[1, 1] == 0
    assert first[0, 1] == second[0, 2]
    assert first[0, 2] == second[0, 3]
    assert first[1, 2] == second[1, 3]
    assert (first[:, 3:] == 0).all()
    assert first[0, 1] != read.hashed(rows([5, 4])["tokens"])[0, 1]
    ids = torch.randint(4, 30_000, (64, 128), generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(read.hashed(ids)[read.hashed(ids) > 0], minlength=51)[1:]
    assert counts.min() > 0.8 * counts.double().mean()
    assert counts.max() < 1.2 * counts.double().mean()


def test_sequences_nobody_trained_on_say_nothing():
    model = Bag(width=8, buckets=64).build(signature())
    rng.initialise(model, 0)
    assert not model.read.sequences.weight.any()


@pytest.mark.parametrize("kind", POOLS)
def test_pooling_never_looks_at_padding(kind):
    module, random = pool(kind, 6).double(), torch.Generator().manual_seed(0)
    x_BLD, real_BL = torch.randn(3, 7, 6, generator=random).double(), torch.arange(7) < torch.tensor([[7], [3], [1]])
    expected = torch.cat([module(x[None, :n], real_BL[:1, :n]) for x, n in zip(x_BLD, (7, 3, 1), strict=True)])
    changed = torch.where(real_BL[..., None], x_BLD, 1e9)
    torch.testing.assert_close(module(changed, real_BL), expected, rtol=0, atol=1e-12)
    if isinstance(module, AttentionPool):
        weights = module.weights(changed, real_BL)
        assert not weights[~real_BL].any()
        torch.testing.assert_close(weights.sum(1), torch.ones(3).double())


def test_turning_round_twice_is_no_turn_and_padding_stays():
    back = backwards(torch.tensor([4, 1, 3]), 5)
    assert back.tolist() == [[3, 2, 1, 0, 4], [0, 1, 2, 3, 4], [2, 1, 0, 3, 4]]
    assert lengths_of(real_tokens(rows([4, 5, 6], [], [4] * 8)["tokens"])).tolist() == [3, 1, 8]


@pytest.mark.parametrize("cell", CELLS)
def test_both_directions_equal_torch_on_packed_rows(cell):
    layer = built(Recurrent(width=8, units=6, cell=cell)).read.layers[0]
    lengths, x_BLD = torch.tensor([7, 2, 5]), torch.randn(3, 7, 8).double()
    theirs = type(layer.ahead)(8, 6, batch_first=True, bidirectional=True).double()
    names = dict(theirs.named_parameters())
    for name, value in names.items():
        value.data.copy_(
            getattr(layer.back if name.endswith("_reverse") else layer.ahead, name.removesuffix("_reverse"))
        )
    packed = torch.nn.utils.rnn.pack_padded_sequence(x_BLD, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    found = layer(x_BLD, backwards(lengths, 7))
    inside = (torch.arange(7) < lengths[:, None])[..., None]
    torch.testing.assert_close(found * inside, expected, rtol=0, atol=1e-12)


def test_text_and_columns_both_have_a_say(network):
    model = built(network, columns=2)
    given = {**rows([4, 6], [5], [8, 9, 4], [7]), "numbers": torch.randn(4, 2).double()}
    answers = model(given)
    for name in given:
        turned = model({**given, name: given[name].flip(0)})
        assert (turned - answers).abs().max() > 1e-6, name


def test_rows_are_blended_after_reading(network):
    model = built(network, columns=2)
    own = {**rows([4, 6], [5], width=8), "numbers": torch.randn(2, 2).double()}
    partner = {**rows([8, 9, 4], [7, 7], width=12), "numbers": torch.randn(2, 2).double()}
    whole = model(own, Blend(partner, torch.ones(2)))
    torch.testing.assert_close(whole, model(own))
    torch.testing.assert_close(model(own, Blend(partner, torch.zeros(2))), model(partner))
    features = [model.read(each["tokens"]) for each in (own, partner)]
    columns = [each["numbers"] for each in (own, partner)]
    mixed = [0.25 * one + 0.75 * other for one, other in (features, columns)]
    expected = model.leave(model.meet(torch.cat(mixed, 1)))
    torch.testing.assert_close(model(own, Blend(partner, torch.full((2,), 0.25))), expected)


def test_head_without_columns_has_no_hidden_layer():
    head = Bag().build(signature())
    assert isinstance(head, TextHead)
    assert head.leave.in_features == Bag().width


# files of pretrained vectors


def as_text(vectors, header=True, encoding="utf-8"):
    lines = [f"{word} {' '.join(map(str, numbers))}" for word, numbers in vectors.items()]
    head = [f"{len(vectors)} {len(next(iter(vectors.values())))}"] if header else []
    return "\n".join([*head, *lines, ""]).encode(encoding)


def as_binary(vectors, end=b"\n"):
    records = [word.encode() + b" " + struct.pack("<3f", *numbers) + end for word, numbers in vectors.items()]
    return b"%d 3\n" % len(vectors) + b"".join(records)


FORMS = {
    "word2vec.txt": as_text(VECTORS),
    "fasttext.vec": as_text(VECTORS).replace(b"\n", b" \n"),
    "glove.txt": as_text(VECTORS, header=False),
    "windows.txt": as_text(VECTORS).replace(b"\n", b"\r\n"),
    "tabs.txt": as_text(VECTORS, header=False).replace(b" ", b"\t"),
    "word2vec.bin": as_binary(VECTORS),
    "bare.bin": as_binary(VECTORS, end=b""),
    "word2vec.bin.gz": gzip.compress(as_binary(VECTORS)),
}


@pytest.fixture
def file(tmp_path):
    """Return a function that writes bytes to a file and returns its path."""

    def write(content, name="vectors.txt"):
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_alike_and_words_are_found_in_lower_case_too(file, name):
    path = file(FORMS[name], name)
    assert width_of(path) == 3
    places, vectors = vectors_of(path, WORDS)
    assert [WORDS[at] for at in places] == ["good", "bad", "Zug", "好"]
    np.testing.assert_array_equal(vectors, [VECTORS[w] for w in ("good", "bad", "zug", "好")])
    assert vectors.dtype == np.float32


def test_first_of_two_counts_words_with_spaces_are_passed_over_and_so_are_strange_bytes(file):
    lines = as_text({"not": [1, 1, 1], "not good": [7, 7, 7], "good": [2, 2, 2]}, header=False)
    latin = as_text({"größe": [3, 3, 3]}, header=False, encoding="latin-1")
    again = as_text({"good": [9, 9, 9], "Zug": [4, 4, 4], "zug": [5, 5, 5]}, header=False)
    places, vectors = vectors_of(file(lines + latin + again), WORDS)
    found = {WORDS[at]: vector[0] for at, vector in zip(places, vectors, strict=True)}
    assert found == {"good": 2.0, "not": 1.0, "Zug": 4.0}


DAMAGED = {
    "cut off": as_binary(VECTORS)[:-8],
    "cut off in a text": as_text({**VECTORS, "w" * 60: [0.5, 0.5, 0.5]}).rsplit(b"\n", 2)[0] + b"\n" + b" " * 60,
    "header says": b"1000000000000 300\n" + as_text(VECTORS, header=False),
    "allowed are 1 to": b"4 999999999\n" + as_text(VECTORS, header=False),
    "width of none": b"4 0\n" + as_text(VECTORS, header=False),
    "not finite": as_text({**VECTORS, "bad": [1.0, float("nan"), 2.0]}),
    "not finite binary": as_binary({**VECTORS, "bad": [1.0, float("inf"), 2.0]}),
    "too large": as_text({**VECTORS, "bad": [1.0, 1e300, 2.0]}),
    "wrong width": as_text({**VECTORS, "bad": [1.0, 2.0]}, header=False),
    "too wide": as_text({**VECTORS, "bad": [1.0, 2.0, 3.0, 4.0]}, header=False),
    "no numbers": b"this is prose\nand nothing else\n",
    "empty": b"",
    "binary noise": bytes(range(256)) * 40,
    "pickle": b"\x80\x04\x95" + bytes(50),
    "fasttext model": b"\xba\x16\x4f\x2f" + bytes(50),
    "archive": b"PK\x03\x04" + bytes(50),
    "cut gzip": gzip.compress(as_binary(VECTORS))[:-20],
    "damaged gzip": gzip.compress(as_text(VECTORS))[:12] + bytes(40),
    "endless word": b"2 3\n" + b"x" * 9000,
    "none of the words": as_text({"other": [1, 2, 3]}),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused_in_one_line_naming_them(file, name):
    path = file(DAMAGED[name])
    with pytest.raises(AurifyError) as caught:
        vectors_of(path, WORDS)
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_is_no_file_is_refused(tmp_path):
    for path in (str(tmp_path), str(tmp_path / "absent.vec")):
        with pytest.raises(AurifyError, match="is not a file"):
            width_of(path)


def test_any_cut_of_a_binary_file_is_noticed(file):
    whole = as_binary(VECTORS, end=b"")
    for size in range(len(whole)):
        with pytest.raises(AurifyError):
            vectors_of(file(whole[:size]), WORDS)


def test_wanted_words_are_all_that_is_kept(file, monkeypatch):
    """A record longer than a block and ones across its ends are read as any other."""
    monkeypatch.setattr("aurify.blocks.vector_files.BLOCK_BYTES", 7)
    places, vectors = vectors_of(file(as_binary({**{f"w{n}": [n, n, n] for n in range(99)}, **VECTORS})), WORDS)
    assert len(places) == 4
    np.testing.assert_array_equal(vectors[0], VECTORS["good"])


# vectors in a network


@pytest.mark.parametrize("freeze", [False, True])
def test_pretrained_vectors_are_put_in_place_and_move_only_when_they_may(file, freeze):
    network = Bag(width=8, ngrams=1, vectors=file(as_text(VECTORS)), freeze=freeze)
    model = built(network)
    table = model.read.table
    given = table.table.weight.detach().clone()
    stored = np.stack([VECTORS[w] for w in ("good", "bad", "zug", "好")])
    np.testing.assert_allclose(given[[4, 5, 7, 8]], stored * SPREAD / stored.std(), rtol=1e-6)
    assert not given[0].any()
    assert given[1].any()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.1)
    model(rows([4, 5, 1])).square().sum().backward()
    optimizer.step()
    assert torch.equal(table.table.weight, given) == freeze
    assert not table.table.weight[0].any()  # padding


def test_saved_networks_need_no_file_of_vectors(file, tmp_path):
    network = Textcnn(width=8, channels=6, vectors=file(as_text(VECTORS)))
    model = built(network).float()
    (tmp_path / "vectors.txt").unlink()
    with torch.device("meta"):
        again = network.build(signature())
    again.load_state_dict(model.state_dict(), strict=True, assign=True)
    given = rows([4, 6, 5], [8])
    assert torch.equal(again.eval()(given), model(given))


def test_branches_of_a_transformer_begin_by_adding_nothing():
    network = TextTransformer(width=8, heads=2, depth=3)
    model, given = network.build(signature()).eval(), rows([4, 6, 5])
    network.first_weights(model)
    before = model(given)
    model.read.body = torch.nn.ModuleList()
    torch.testing.assert_close(model(given), before)


def test_words_reach_one_another_in_a_transformer_and_padding_reaches_none():
    """A token takes in what another says, and never what stands in the padding."""
    model = built(TextTransformer(width=8, heads=2, pool="mean"))
    x_BLD = model.read.table(rows([4, 6, 5])["tokens"])
    block = model.read.body[0]
    changed = x_BLD.clone()
    changed[:, 2] += torch.arange(8)
    real_BL = torch.arange(8) < torch.tensor([[3]])
    assert (block(changed, real_BT=real_BL)[:, 0] - block(x_BLD, real_BT=real_BL)[:, 0]).abs().max() > 1e-6
    hidden = x_BLD.clone()
    hidden[:, 5] += torch.arange(8)
    torch.testing.assert_close(block(hidden, real_BT=real_BL)[:, :3], block(x_BLD, real_BT=real_BL)[:, :3])


def test_damaged_weights_of_a_table_are_refused(file):
    network = Bag(width=8, ngrams=1, vectors=file(as_text(VECTORS)))
    weights = built(network).state_dict()
    for strange in (torch.zeros(3), torch.zeros(10, 4)):
        with torch.device("meta"):
            again = network.build(signature())
        with pytest.raises(RuntimeError):
            again.load_state_dict({**weights, "read.table.table.weight": strange}, strict=True, assign=True)


def test_words_of_a_table_without_a_file_are_drawn_small():
    table = WordTable(TOKENS, 64)
    rng.initialise(table, 0)
    assert not table.table.weight[0].any()
    assert float(table.table.weight[1:].detach().std()) == pytest.approx(SPREAD, rel=0.1)


def test_a_model_with_vectors_is_fitted_saved_and_loaded_without_them(lab, file, tmp_path):
    words = {chr(c): [c % 7, c % 5, c % 3] for c in range(97, 123)}
    path = file(as_text(words))
    network = {"name": "bag", "vectors": path, "freeze": True}
    bundle = lab.bundle(lab.fit(lab.recipe("text", network=network)))
    before = bundle.predict(lab.frames["text"])
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    (tmp_path / "vectors.txt").unlink()
    assert Bundle.load(tmp_path / "model.aurify", lab.catalog, bundle.device).predict(lab.frames["text"]).equals(before)
