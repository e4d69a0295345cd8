"""The words that verbs share: how a source is read and what its recipe shall say, declared and understood once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypedDict, TypeVar, get_args, get_type_hints

from aurify.catalog import Catalog
from aurify.core.errors import suggest
from aurify.core.recipe import Source
from aurify.data.frames import names_columns, with_target
from aurify.data.label_sets import joined_names
from aurify.workbench.passed import Passed, catalog_with
from aurify.workbench.subjects import subject_of
from aurify.workbench.wish import Wish, wish_of, words_of


class SourceWords(TypedDict, total=False):
    """How a source is read."""

    drop: Annotated[Sequence[str], "columns to leave out"]
    test: Annotated[str | Path | None, "file whose rows are the test part"]
    split: Annotated[str | None, "how rows are parted: random, group:COLUMN or time:COLUMN"]
    separator: Annotated[str | None, "what parts the cells of a text file; else it is detected"]
    encoding: Annotated[str | None, "how its bytes are characters, such as gb18030; else it is detected"]
    header: Annotated[str | None, "yes or no: whether its first line names the columns; else it is detected"]
    missing: Annotated[Sequence[str], "texts that mean a missing value, beside the usual ones"]
    task: Annotated[str | None, "table, text or image; else it is what the data is"]
    text: Annotated[Sequence[str], "columns of texts to learn from, where they do not look so"]
    image: Annotated[str | None, "column of images to learn from, where it does not look so"]
    size: Annotated[int | None, "side of the images that are learnt from, in pixels; else it is chosen by the data"]
    aspect: Annotated[str | None, "crop, pad or stretch: what becomes of images that are not square"]
    types: Annotated[Sequence[str], "columns taken as another type than they look: column=category"]
    positive: Annotated[str | None, "of two classes, the one that precision, recall and ROC curves are about"]
    weight: Annotated[str | None, "column that says how many rows each row stands for"]
    recipe: Annotated[str | Path | Mapping[str, Any] | None, "recipe to start from: a file, or what is in one"]
    parts: Annotated[Sequence[str | Path], "files or folders of your own parts"]


class RecipeWords(SourceWords, total=False):
    """How a source is read, and what shall be trained on it."""

    settings: Annotated[Mapping[str, Any] | Sequence[str], '{"network.width": 256} or ["network.width=256"]']
    using: Annotated[Sequence[str], 'techniques to switch on: "mixup.alpha=0.4"']
    without: Annotated[Sequence[str], "techniques to switch off"]
    blend: Annotated[str | None, "trees or ngrams: averaged with boosted trees, or a linear model of n-grams"]
    network: Annotated[Passed, "name of one, or a network of your own (``workbench/passed.py``)"]
    accept: Annotated[Sequence[str], 'severe findings that shall not stop it: "target_leak:RISK_MM"']


P = ParamSpec("P")
R = TypeVar("R")


def takes(words: type[SourceWords]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a verb with ``**words`` name them in its signature and its help, and refuse every other with TypeError."""
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if type(None) in get_args(hint) else (),
            annotation=hint,
        )
        for name, hint in get_type_hints(words).items()
    ]
    texts = {name: get_args(hint)[-1] for name, hint in get_type_hints(words, include_extras=True).items()}

    def decorate(verb: Callable[P, R]) -> Callable[P, R]:
        whole = inspect.signature(verb)
        own = [p for p in whole.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        whole = whole.replace(parameters=[*own, *shared])

        @wraps(verb)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in whole.parameters:
                    known = suggest(name, whole.parameters)
                    raise TypeError(f"{verb.__name__}() got an unexpected keyword argument {name!r}{known}")
            return verb(*args, **kwargs)

        listed = "\n".join(f"``{name}``: {text}" for name, text in texts.items())
        checked.__doc__ = f"{inspect.cleandoc(verb.__doc__ or '')}\n\n{listed}\n"
        vars(checked)["__signature__"] = whole
        return checked

    return decorate


@dataclass(frozen=True)
class Asked:
    """What one call of a verb asks for, before anything is read."""

    data: Any
    target: str | None
    words: Mapping[str, Any]
    settings: Sequence[str]
    catalog: Catalog
    network: Mapping[str, Any] | None
    notes: Sequence[str]

    @cached_property
    def roles(self) -> dict[str, Any]:
        """The words that are settings of a recipe's ``source``."""
        return {"target": self.target, **{name: self.words[name] for name in Source.knobs() if name in self.words}}

    @property
    def given(self) -> list[str]:
        """Every word that would change a recipe or how its source is read."""
        named = [name for name, value in self.roles.items() if value]
        return [*named, *self.settings, *self.words.get("using", ()), *self.words.get("without", ())]

    @property
    def recipe(self) -> str | Path | Mapping[str, Any] | None:
        return self.words.get("recipe")

    @property
    def parts(self) -> Sequence[str | Path]:
        return self.words.get("parts", ())

    @property
    def in_memory(self) -> bool:
        """Whether the network, or the class of a world, is in no file for other processes to read."""
        network, here = self.words.get("network"), "__main__"
        passed = network is not None and not isinstance(network, str)
        return passed or getattr(self.data, "__module__", None) == here or str(self.data).startswith(f"{here}:")

    def wish(self) -> Wish:
        """Raises AurifyError for words that contradict each other or mean nothing."""
        using, without = self.words.get("using", ()), self.words.get("without", ())
        wish = wish_of(self.data, self.roles, self.recipe, self.settings, using, without, self.network)
        task: Any = self.catalog.parts["task"].get(wish.task["name"])
        if wish.data is not None and task is not None:  # one that is unknown is refused where it is made
            subject_of(task).refuse(wish)
        return wish


def asked_of(data: Any, target: Any, words: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Asked:
    """The words of one call, with a verb's ``own`` settings, such as ``{"seed": 1}``, where they are not None.

    Several columns of labels may be named as a list. Targets beside a table in memory become one of its columns;
    ``notes`` say under which name, where it is not theirs.
    """
    notes: Sequence[str] = ()
    if names_columns(data, target):
        target = joined_names(target)
    if target is not None and not isinstance(target, str):
        data, target, notes = with_target(data, target)
    named = {
        **(own or {}),
        "task": words.get("task"),
        "split.by": words.get("split"),
        "blend.model": words.get("blend"),
    }
    catalog, network = catalog_with(words.get("parts", ()), words.get("network"))
    return Asked(data, target, words, words_of(words.get("settings", ()), named), catalog, network, notes)
