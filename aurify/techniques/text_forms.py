"""One spelling for texts that mean the same: Unicode forms, capitals, blanks, signs that nobody sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Layer, View
from aurify.data.text_forms import changed, composed, simplified, single_blanks, without_controls


@dataclass(kw_only=True)
class NormalizeText(Technique):
    """Spell what is the same in one way: Unicode forms, blanks and signs that nobody sees (Davis & Whistler 2001).

    NFKC (Unicode Annex 15) makes full-width letters and digits plain ones and parts ligatures; NFC only joins accents
    with their letters. ``simplified`` turns traditional Chinese characters into simplified ones, by words (OpenCC).
    Each text is changed by itself, new ones as those of training. Helps: texts of many sources and keyboards, small
    data, where each spelling is learnt by itself. Hurts: with ``lower`` where capitals tell (names, shouting), and
    where the form is the message: NFKC makes digits of exponents, and lines and indents go with ``blanks``.
    """

    family = "cleaning"
    form: str = knob("NFKC", "Unicode form", choices=("none", "NFC", "NFKC"))
    lower: bool = knob(False, "small letters instead of capitals")
    simplified: bool = knob(False, "simplified Chinese characters instead of traditional ones; takes opencc")
    blanks: bool = knob(True, "one blank for each run of blanks and line ends, none at the ends of a text")
    controls: bool = knob(True, "leave out control characters, marks of width zero and halves of characters")
    needs = frozenset({Trait.TEXTS})
    neutral = {"form": "none", "lower": False, "simplified": False, "blanks": False, "controls": False}
    vivid = {"lower": True}
    stage = Stage.PARSE
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "texts" not in view.inputs or self == NormalizeText.make(self.neutral):
            return None
        if self.simplified:
            simplified()  # a package that is not there is missed before the training, not in the middle of it
        return TextForm(**self.settings())


class TextForm(Layer):
    """Texts in one form, each by itself."""

    form: str
    lower: bool
    simplified: bool
    blanks: bool
    controls: bool

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        changes = [composed(self.form)] if self.form != "none" else []
        changes += [simplified()] if self.simplified else []
        changes += [str.lower] if self.lower else []
        changes += [composed(self.form)] if self.lower and self.form != "none" else []  # small letters may come apart
        changes += [single_blanks] if self.blanks else []
        texts = without_controls(values["texts"]) if self.controls else values["texts"]
        return {**values, "texts": changed(texts, changes)}
