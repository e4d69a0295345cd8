"""What aurify says: sentences that remember what they were made of, and the one catalogue that says them in Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

LANGUAGES = {"en": "English", "zh": "中文"}

CATALOGUE = Path(__file__).parent.parent / "words"
"""A folder a language, whose YAML files map English templates to those of the language; a new file needs no edit."""

PLAIN = re.compile(r"(?:[^{}]|\{\{|\}\}|\{\w+(?:!r)?(?::,?(?:\.\d\d?)?[a-z%]?)?\})*+")
"""Templates that name values and how many digits they have, and reach for nothing inside of them."""


class Said(str):
    """An English text made from a template and its values, which may be texts of this kind themselves.

    It is a plain ``str`` for whoever only reads it.
    """

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any]) -> Self:
        made = super().__new__(cls, template.format_map(values) if values else template)
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[str, Mapping[str, Any]]]:
        """What a copy is made of."""
        return type(self), (self.template, self.values)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it: the text, the template and the values."""
        values = {k: v.plain() if isinstance(v, Said) else v for k, v in self.values.items()}
        return {"text": str(self), "template": self.template, "values": values}

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """The text that ``plain`` tells of; raises ValueError for what ``plain`` never was: files may be anybody's."""
        match plain:
            case {"template": str(template), "values": dict(given)} if PLAIN.fullmatch(template) or not given:
                try:
                    return cls(template, {k: cls.from_plain(v) if isinstance(v, dict) else v for k, v in given.items()})
                except (LookupError, TypeError) as error:
                    raise ValueError(f"the text {template!r} does not fit its values") from error
        raise ValueError("a text is not as aurify keeps it")


def said(template: str, /, **values: Any) -> Said:
    """Make a text of a template as ``str.format`` takes it: ``said("{rows:,} rows", rows=1200)``.

    The template must be a literal: tests look for every one in the catalogue of each language.
    """
    return Said(template, values)


def plainly(text: str) -> dict[str, Any]:
    """Any text as JSON holds it."""
    return (text if isinstance(text, Said) else Said("{text}", {"text": text})).plain()


def keep(document: Any) -> Any:
    """As JSON holds it: texts as they read in English and, beside them under ``said``, what they were made of.

    Of a list that is by position: ``{"header": ["row"], "said": {"header": {"0": {"template": "row", ...}}}}``.
    """
    if isinstance(document, (list, tuple)):
        return [keep(value) for value in document]
    if not isinstance(document, Mapping):
        return document
    made = {key: told for key, value in document.items() if (told := _made_of(value))}
    return {key: keep(value) for key, value in document.items()} | ({"said": made} if made else {})


def recall(plain: Any) -> Any:
    """The document that ``keep`` made plain; raises ValueError for what it never made."""
    if isinstance(plain, list):
        return [recall(value) for value in plain]
    if not isinstance(plain, Mapping):
        return plain
    made = dict(plain.get("said", {}))
    known = {key: recall(value) for key, value in plain.items() if key != "said"}
    return known | {key: _told(known[key], how) for key, how in made.items()}


def _made_of(value: Any) -> dict[str, Any]:
    """What the texts of a value were made of: of one text, or by position of those in a list; nothing of others."""
    if isinstance(value, Said):
        return value.plain()
    if not isinstance(value, (list, tuple)):
        return {}
    return {str(at): told for at, each in enumerate(value) if (told := _made_of(each))}


def _told(value: Any, made: Any) -> Any:
    """A value with its texts as they were made, which ``_made_of`` told."""
    if not isinstance(value, list):
        return Said.from_plain(made)
    return [_told(each, made[str(at)]) if str(at) in made else each for at, each in enumerate(value)]


def say(text: str, language: str = "en") -> str:
    """The text in a language; a user's own text stays as it is, and so does what the language has no words for."""
    if language == "en" or not isinstance(text, Said):
        return str(text)
    values = {k: say(v, language) if isinstance(v, str) else v for k, v in text.values.items()}
    template = catalogue(language).get(text.template, text.template)
    return template.format_map(values) if values else template


def listed(texts: Sequence[str], last: str = "and") -> str:
    """One text of several: ``a, b and c``, ``a, b or c`` or, with ``last`` a comma, ``a, b, c``."""
    if len(texts) < 2:
        return texts[0] if texts else ""
    first: str = texts[0]
    for text in texts[1:] if last == "," else texts[1:-1]:
        first = said("{first}, {second}", first=first, second=text)
    if last == ",":
        return first
    if last == "or":
        return said("{first} or {second}", first=first, second=texts[-1])
    return said("{first} and {second}", first=first, second=texts[-1])


def in_a_row(sentences: Sequence[str]) -> str:
    """One text of sentences, one after another."""
    first: str = sentences[0] if sentences else ""
    for sentence in sentences[1:]:
        first = said("{first} {second}", first=first, second=sentence)
    return first


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every template of a language by its English one; English has none."""
    import yaml

    found: dict[str, str] = {}
    for path in sorted((CATALOGUE / language).glob("*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
