"""Texts through a function of the user's or two translation models, with every answer kept in a file."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from aurify.core.errors import AurifyError

Translate = Callable[[list[str]], Any]
"""From texts to as many texts, each the other's translation, there and back."""

AT_ONCE = 64
"""Texts that a function is given together; what it returned is kept before it is asked again."""

MODEL_AT_ONCE = 8
LONGEST = 512
"""Tokens of a text that a translation model reads and writes."""


def hashed(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", errors="surrogatepass"), digest_size=16).hexdigest()


def share_of(text: str) -> float:
    """A number in [0, 1) that the text alone decides."""
    return int(hashed(text)[:13], 16) / 16**13


class Translations:
    """What texts became, in a file of JSON lines: ``hash``, ``text`` and ``translation``; appended to, never rewritten.

    A line that a kill cut short is passed over. Raises AurifyError for a file that cannot be read.
    """

    def __init__(self, path: Path):
        self.path, self.known = path, dict[str, str]()
        try:
            lines = path.read_bytes().split(b"\n") if path.exists() else []
        except OSError as error:
            raise AurifyError(f"translations in {path} cannot be read ({error.strerror}); name another file") from None
        for number, line in enumerate(lines, 1):
            try:
                kept = json.loads(line.decode(errors="surrogatepass"))
            except ValueError:
                continue
            match kept:
                case {"text": str(text), "translation": str(translation)}:
                    self.known[text] = translation
                case _:
                    raise AurifyError(f"translations in {path}, line {number}: text and translation are not there")

    def through(self, translate: Translate, name: str, texts: Sequence[str]) -> None:
        """Ask ``translate`` (called ``name``) for those of ``texts`` that are not known yet, and keep each answer."""
        missing = [text for text in dict.fromkeys(texts) if text not in self.known]
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            self._keep(some, self._asked(translate, name, some, start))

    def _asked(self, translate: Translate, name: str, some: list[str], done: int) -> list[str]:
        kept = f"; {len(self.known):,} translations are kept in {self.path}"
        try:
            answers = translate(list(some))
        except Exception as error:
            raise AurifyError(f"{name} failed: {' '.join(f'{type(error).__name__}: {error}'.split())}{kept}") from error
        if not isinstance(answers, (list, tuple)) or not all(isinstance(answer, str) for answer in answers):
            raise AurifyError(f"{name} returned no list of texts (it is given one, and must return one){kept}")
        if len(answers) != len(some):
            raise AurifyError(f"{name} returned {len(answers)} texts for {len(some)}; needed is one for each{kept}")
        return list(answers)

    def _keep(self, texts: Sequence[str], translations: Sequence[str]) -> None:
        lines = "".join(
            json.dumps({"hash": hashed(text), "text": text, "translation": translation}, ensure_ascii=False) + "\n"
            for text, translation in zip(texts, translations, strict=True)
        )
        try:
            with self.path.open("a+b") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    lines = lines if file.read(1) == b"\n" else "\n" + lines  # a line that was cut short stays alone
                file.write(lines.encode(errors="surrogatepass"))
        except OSError as error:
            raise AurifyError(f"translations cannot be kept in {self.path} ({error.strerror})") from None
        self.known.update(zip(texts, translations, strict=True))


def function_of(name: str) -> Translate:
    """The function called ``module:function`` or ``file.py:function``; raises AurifyError when there is none."""
    place, _, wanted = name.rpartition(":")
    if not place or not wanted:
        raise AurifyError(f"function {name!r} is not known: write module:function or file.py:function")
    try:
        file = file_of(place)
        module = importlib.import_module(place) if file is None else _file(file)
    except AurifyError:
        raise
    except Exception as error:
        raise AurifyError(f"function {name!r}: {type(error).__name__}: {error}") from error
    found = getattr(module, wanted, None)
    if not callable(found):
        raise AurifyError(f"function {name!r}: there is no function {wanted!r} in {place}")
    return found


def file_of(place: str) -> Path | None:
    """The file that ``file.py`` or a module in the current folder is, which no process of a study looks into.

    None for an installed module.
    """
    if place.endswith(".py"):
        return Path(place)
    beside = Path(*place.split(".")).with_suffix(".py") if place else Path()
    return beside if place not in sys.modules and beside.is_file() else None


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise AurifyError(f"there is no file {path}, of which a function was to translate; name it from {Path.cwd()}")
    spec = importlib.util.spec_from_file_location(f"aurify_functions.{path.stem}", path)
    assert spec is not None and spec.loader is not None, "a file of Python"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def models_of(names: Sequence[str]) -> Translate:
    """Two translation models of transformers, there and back, by folder or hub name; raises AurifyError."""
    if len(names) != 2:
        raise AurifyError(f"models = {list(names)} is not allowed: name two, one there and one back")
    both = [_model(name) for name in names]

    def translate(texts: list[str]) -> list[str]:
        for one in both:
            texts = one(texts)
        return texts

    return translate


def _model(name: str) -> Callable[[list[str]], list[str]]:
    try:
        import transformers
    except ImportError:
        raise AurifyError("translation models need transformers: pip install 'aurify[pretrained]'") from None
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    library: Any = transformers
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(name)
        model = library.AutoModelForSeq2SeqLM.from_pretrained(name).to(device).eval()
    except (OSError, ValueError, ImportError) as error:
        raise AurifyError(
            f"translation model {name!r} cannot be loaded: {' '.join(str(error).split())[:200]}"
        ) from None

    @torch.no_grad()
    def translate(texts: list[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(texts), MODEL_AT_ONCE):
            some = texts[start : start + MODEL_AT_ONCE]
            given = tokenizer(some, return_tensors="pt", padding=True, truncation=True, max_length=LONGEST)
            made = model.generate(
                input_ids=given["input_ids"].to(device),
                attention_mask=given["attention_mask"].to(device),
                do_sample=False,  # the same translation each time
                max_new_tokens=LONGEST,
            )
            found += tokenizer.batch_decode(made, skip_special_tokens=True)
        return found

    return translate
