"""Texts in one form: each by itself, and what is off changes nothing."""

import sys
import unicodedata

import pytest
import torch

from aurify.core.errors import AurifyError
from aurify.core.ragged import from_texts
from aurify.core.types import Input, View
from aurify.techniques.text_forms import NormalizeText

TEXTS = [
    "Ａｂ１！",
    " a \t\n b ",
    "",
    "\u0301first",
    "e",
    "\u0301",
    "ﬁne",
    "\x00x\u200by\ufeff",
    "\ud800z",
    "İI",
    "ΣΑΣ",
    "乾淨 不乾",
]
OFF = dict(NormalizeText.neutral)


def form(texts, columns=1, **settings):
    inputs = {"texts": Input("texts", (columns, -1), ("t",) * columns)}
    rows = len(texts) // columns
    view = View(inputs, {"texts": from_texts(texts, columns)}, torch.zeros(rows), None, 0, torch.ones(rows).double())
    layer = NormalizeText.make({**OFF, **settings}).layer(view)
    after = view.values["texts"] if layer is None else layer(dict(view.values))["texts"]
    assert layer is None or layer.inputs(inputs) == inputs
    assert after.columns == columns
    return after.flat_texts()


def test_what_is_off_is_no_step():
    assert form(TEXTS) == TEXTS


@pytest.mark.parametrize("how", ["NFC", "NFKC"])
def test_each_text_is_composed_by_itself_and_no_accent_moves_to_the_text_before(how):
    assert form(TEXTS, form=how) == [unicodedata.normalize(how, text) for text in TEXTS]


def test_full_width_signs_become_plain_ones():
    assert form(["Ａｂ１！，　ﬁ"], form="NFKC") == ["Ab1!, fi"]


def test_small_letters_in_one_form():
    assert form(["İI Straße", "ΣΑΣ"], lower=True) == ["i\u0307i straße", "σας"]


def test_runs_of_blanks_become_one_and_those_at_the_ends_go():
    assert form([" a \t\n\u3000 b\u2028c ", "  "], columns=2, blanks=True) == ["a b c", ""]


def test_signs_that_nobody_sees_go_and_those_that_join_stay():
    texts = ["\x00a\x1b\u200bb\ufeff\u202e", "\ud800c\udfff", "👩\u200d👧 \u0645\u06cc\u200c\u0631", "a\nb\tc"]
    assert form(texts, columns=2, controls=True) == ["ab", "c", *texts[2:]]


@pytest.mark.parametrize("settings", [{}, {"lower": True}, {"form": "NFC", "blanks": False}])
def test_a_text_is_changed_the_same_alone_and_among_others_and_twice_is_once(settings):
    settings = {**NormalizeText().settings(), **settings}
    together = form(TEXTS, **settings)
    assert together == [form([text], **settings)[0] for text in TEXTS]
    assert form(together, **settings) == together


def test_traditional_characters_become_simplified_ones():
    pytest.importorskip("opencc")
    texts = ["這個酒店的房間很乾淨", "乾坤", "plain", "\ud800軟體\x00", ""]
    assert form(texts, simplified=True) == ["这个酒店的房间很干净", "乾坤", "plain", "\ud800软体\x00", ""]


def test_opencc_is_asked_for_in_a_line_where_it_is_absent(monkeypatch):
    from aurify.data import text_forms

    text_forms._converter.cache_clear()
    monkeypatch.setitem(sys.modules, "opencc", None)
    with pytest.raises(AurifyError, match=r"needs opencc, which is not installed: pip install 'aurify\[text\]'"):
        form(["a"], simplified=True)
