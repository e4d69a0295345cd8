"""Sections of the report: what each measures while the test part is open, and what it shows of a finished run."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from aurify.core.errors import AurifyError
from aurify.core.words import Said, say
from aurify.report.pictures import Gallery
from aurify.report.pictures import Picture as Picture  # blocks are told together
from aurify.report.pictures import Strip as Strip

if TYPE_CHECKING:
    import numpy as np
    import polars

    from aurify.core.folder import RunFolder
    from aurify.core.parts import Task
    from aurify.core.recipe import Recipe, Source
    from aurify.data.findings import Findings
    from aurify.data.splits import Parts
    from aurify.data.store import Asked, Store
    from aurify.measure.predictions import Predictions
    from aurify.report.charts import Chart
    from aurify.worlds.world import World


Looks = Callable[
    ["Mapping[str, Any]", "np.ndarray", "np.ndarray | None"], "Sequence[tuple[np.ndarray, np.ndarray]] | None"
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested:
    """A model before its test rows: all that a section may measure from.

    ``sets`` are the predictions for the rows of ``asked``, the model's first, then its members' and the baselines';
    ``clusters`` (n,) int says which rows are resampled together, None where rows stand for themselves.
    ``respond(inputs, at)`` answers for other inputs {name: (M, C)}, as the model would that answered for the tested
    rows at the positions ``at`` (M,): probabilities (M, K) or numbers (M,). ``check`` is called now and then and may
    raise to stop the work. ``tokens`` tells how the tested texts look to the model, None where it reads none.
    ``looks(inputs, at, of)`` tells where in images the model that answered for the rows ``at`` (M,) sees what speaks
    for the classes ``of`` (M,), None of numbers: the images (H, W, C) as its network takes them in and a heat (h, w)
    for each, or None where its network does not tell. ``names`` are the files of the images by row of the Store.
    """

    recipe: Recipe
    store: Store
    parts: Parts
    asked: Asked
    sets: Mapping[str, Predictions]
    clusters: np.ndarray | None
    summary: Mapping[str, Any]
    respond: Callable[[Mapping[str, Any], np.ndarray], np.ndarray]
    check: Callable[[], None]
    tokens: Callable[[], Mapping[str, Any] | None] = lambda: None
    looks: Looks = lambda inputs, at, of: None
    names: Sequence[str | None] | None = None

    @property
    def model(self) -> Predictions:
        return self.sets[self.summary["model"]]

    @property
    def inputs(self) -> dict[str, Any]:
        """Of the tested rows {name: (n, C)}: arrays, ``Packed`` texts and ``ImageRows``."""
        from aurify.data.image_rows import rows_of_input

        return {name: rows_of_input(values, self.asked.rows) for name, values in self.asked.inputs.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """Agents that have played the test episodes: all that a section about acting may measure from.

    ``episodes`` has a row for each episode: ``agent`` (null of a policy that is nobody's), ``policy``, ``episode``,
    ``seed`` (what the environment was begun with), ``return``, ``length`` and ``terminated``. ``best`` is the agent
    that is shipped. ``answer(agent, observations)`` are probabilities (n, K) of the actions, or numbers;
    ``watch(agent, episode, render)`` plays a test episode again, greedily, and yields its moments: ``observation``,
    ``picture`` (drawn by ``render``), ``reward`` and ``ended``.
    """

    recipe: Recipe
    world: World
    parts: Parts
    episodes: polars.DataFrame
    best: int
    summary: Mapping[str, Any]
    answer: Callable[[int, np.ndarray], np.ndarray]
    values: Callable[[int, np.ndarray], np.ndarray]
    watch: Callable[[int, int, str | None], Iterator[Any]]
    ways: Sequence[str]
    check: Callable[[], None]

    @property
    def store(self) -> World:
        """What the agents learnt from, as their task takes it."""
        return self.world


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspection:
    """Data that was looked at, and the language in which it is shown; its ``evidence`` is by section.

    ``ledger`` is what ``aurify ablate`` found of its recipe, where it did; ``tuning`` and ``trials`` are what
    ``aurify tune`` found and tried.
    """

    folder: RunFolder
    source: Source
    findings: Findings
    evidence: Mapping[str, Any]
    ledger: Mapping[str, Any] | None = None
    tuning: Mapping[str, Any] | None = None
    trials: Sequence[Mapping[str, Any]] = ()
    language: str = "en"

    def say(self, text: str) -> str:
        """A text in the report's language."""
        return say(text, self.language)


@dataclass(frozen=True, kw_only=True, eq=False)
class Record(Inspection):
    """A finished run as its folder tells of it."""

    recipe: Recipe
    summary: Mapping[str, Any]
    log: Sequence[Mapping[str, Any]]
    environment: Mapping[str, Any]
    openings: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Paragraph:
    """Running text; ``strong`` for what must not be missed."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Points:
    """Short texts, one under another."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Rows:
    """A table of texts; the first column names each row, the others are aligned to the right where ``numbers``.

    ``marks`` are the row and column of the cells to look at.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    numbers: bool = True
    marks: Collection[tuple[int, int]] = ()


@dataclass(frozen=True)
class Marked:
    """A text in pieces, each with how strongly it speaks for something: 1 to 3, or -1 to -3 where it speaks against.

    ``name`` is what the text is of, said to those who hear the page.
    """

    pieces: Sequence[tuple[str, int]]
    name: str = ""


@dataclass(frozen=True)
class Figure:
    """A chart with a caption, what it shows in one sentence for those who do not see it, and its numbers."""

    name: str
    chart: Chart
    caption: str
    described: str
    table: Rows | None = None


@dataclass(frozen=True)
class Code:
    """Text to be read or copied as it is."""

    text: str


@dataclass(frozen=True)
class Folded:
    """Blocks behind a line that opens them."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Card:
    """Blocks about one thing, under a title that begins with a word for how grave it is.

    ``grade`` is what the word stands for, ``severe``, ``warning`` or ``note``, and decides the colour.
    """

    grade: str
    word: str
    title: str
    blocks: Sequence[Block]


Block = Paragraph | Points | Rows | Marked | Gallery | Figure | Code | Folded | Card


class Section:
    """One chapter of the report. A new one is a new file in ``report/sections``, and its words in ``aurify/words``.

    ``order`` is its place among the others, ``examples`` are those of the tasks it is about. Texts are made with
    ``core.words.said``.
    """

    order: ClassVar[int]
    examples: ClassVar[frozenset[str]] = frozenset({"rows"})

    @classmethod
    def name(cls) -> str:
        """What its evidence is called in the run folder, and its place in the page: the name of its file."""
        return cls.__module__.rpartition(".")[2]

    @property
    def title(self) -> Said:
        raise NotImplementedError

    def measure(self, tested: Any) -> Any:
        """Plain data to keep in ``evidence.json`` and to show; None where there is nothing to measure.

        What is ``tested`` is ``Tested`` of rows and ``Played`` of episodes.
        """
        return None

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        """What the reader sees, from the run folder and what was measured; nothing where the section does not apply."""
        raise NotImplementedError


class DataSection(Section):
    """A chapter that data alone has too, where there is no run."""

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        raise NotImplementedError


@cache
def sections() -> tuple[Section, ...]:
    """Every section, in the order of the page."""
    from aurify.report import sections as room

    found = []
    for module in pkgutil.iter_modules(room.__path__):
        known = vars(importlib.import_module(f"{room.__name__}.{module.name}")).values()
        kinds = (Section, DataSection)
        found += [c() for c in known if inspect.isclass(c) and issubclass(c, Section) and c not in kinds]
    return tuple(sorted(found, key=lambda s: (s.order, s.name())))


def sections_for(task: Task) -> list[Section]:
    """The sections about what a task learns from, in the order of the page."""
    return [section for section in sections() if task.examples in section.examples]


@dataclass(frozen=True)
class Chapter:
    """A section as a run fills it."""

    name: str
    title: str
    blocks: Sequence[Block]

    @cached_property
    def figures(self) -> dict[str, Figure]:
        return {figure.name: figure for figure in _figures(self.blocks)}


def chapters(record: Inspection) -> list[Chapter]:
    """The sections that have something to show. Raises AurifyError where a run's files hold what none can be."""
    with damage_told(record):
        every = [(s, _shown(s, record)) for s in sections()]
        return [Chapter(s.name(), record.say(s.title), blocks) for s, blocks in every if blocks]


def _shown(section: Section, record: Inspection) -> Sequence[Block]:
    measured = record.evidence.get(section.name())
    if isinstance(record, Record) and record.recipe.task.examples not in section.examples:
        return ()
    if isinstance(section, DataSection):
        return section.show(record, measured)
    return section.show(record, measured) if isinstance(record, Record) else ()


@contextmanager
def damage_told(record: Inspection) -> Iterator[None]:
    """Raise AurifyError where showing fails: a run's files may be damaged, anybody's, or of another version."""
    try:
        yield
    except AurifyError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise AurifyError(
            f"{record.folder.path} cannot be shown ({reason}): its files are damaged or of another version of aurify;"
            f" delete {record.folder.evidence.name} there and write the report again, or train again with --force"
        ) from error


def _figures(blocks: Sequence[Block]) -> Iterator[Figure]:
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, (Folded, Card)):
            yield from _figures(block.blocks)
