"""The Recipe: everything that decides the result, and nothing else; frozen, YAML in and out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aurify.core.errors import AurifyError, suggest
from aurify.core.parts import Network, Optimizer, Part, Task, Technique, Trait, clash, knob, lacking

FORMAT = 1
LIMIT_BYTES = 1_000_000


@dataclass(kw_only=True)
class Source(Part):
    """Where the data is and what its columns are for."""

    path: str | None = knob(None, "file to read; nothing when the data came as a data frame")
    target: str | None = knob(None, "column to predict, or several of yes and no: a,b,c")
    drop: tuple[str, ...] = knob((), "columns to leave out")
    test: str | None = knob(None, "file whose rows are the test part")
    weight: str | None = knob(None, "column that says how many rows each row stands for")
    positive: str | None = knob(None, "of two classes, the one that precision, recall and ROC curves are about")
    text: tuple[str, ...] = knob((), "columns of texts to learn from, where they do not look so")
    image: str | None = knob(None, "column of images to learn from, where it does not look so")
    size: int | None = knob(
        None, "side of the images that are learnt from, in pixels; nothing: as they are", legal=(4, 1024)
    )
    aspect: str = knob("auto", "what becomes of images that are not square", choices=("auto", "crop", "pad", "stretch"))
    types: tuple[str, ...] = knob((), "columns taken as another type than they look: column=category")
    missing: tuple[str, ...] = knob((), "texts that mean a missing value, beside the usual ones")
    separator: str | None = knob(None, "what separates the cells of a text file; nothing: as it looks")
    encoding: str | None = knob(None, "how the bytes of a text file are characters; nothing: as it looks")
    header: str = knob("auto", "whether the first line of a text file names the columns", choices=("auto", "yes", "no"))
    accept: tuple[str, ...] = knob((), "severe findings that shall not stop the run: check or check:column")


@dataclass(kw_only=True)
class Split(Part):
    """How rows are parted before anything is fitted."""

    by: str = knob("random", "random (stratified), group:COLUMN (whole groups) or time:COLUMN (the latest are tested)")
    folds: int | None = knob(None, "parts that are the test part in turn; nothing: one test part", legal=(2, 100))
    test: float | None = knob(
        None, "share of rows sealed for the final test; nothing: 0.2, of images 0.1", legal=(0.01, 0.9)
    )
    held: float | None = knob(
        None,
        "share of the training rows held out for stopping and calibration; nothing: 0.1, of 10,000 rows or more 0.05",
        legal=(0.01, 0.9),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by != "random" and not re.fullmatch(r"(?:group|time):.+", self.by, re.DOTALL):
            raise AurifyError(f"split.by = {self.by!r} is not allowed: random, group:COLUMN or time:COLUMN")


@dataclass(kw_only=True)
class Budget(Part):
    """How long to train."""

    epochs: int = knob(60, "passes over the training rows", low=5, high=200, log=True, legal=(1, 1_000_000))
    steps: int | None = knob(None, "updates in all; overrules epochs", legal=(1, 1_000_000_000))
    batch_size: int = knob(256, "rows per update", low=16, high=4096, log=True, legal=(1, 10_000_000))
    validate_every: int | None = knob(
        None, "updates between validations; nothing: once an epoch", legal=(1, 1_000_000_000)
    )
    seconds: float | None = knob(None, "wall-clock limit of the whole fit", legal=(1.0, 31_536_000.0))
    find_rate: bool = knob(False, "measure a good learning rate first, and train with that one")


@dataclass(kw_only=True)
class Blending(Part):
    """What answers beside the network."""

    model: str = knob(
        "none", "model whose answers are averaged with the network's", choices=("none", "trees", "ngrams")
    )


SECTIONS: dict[str, type[Part]] = {"source": Source, "split": Split, "budget": Budget, "blend": Blending}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the result of a run. Techniques are kept in the one order in which they act."""

    task: Task
    network: Network
    optimizer: Optimizer
    techniques: tuple[Technique, ...] = ()
    source: Source = field(default_factory=Source)
    split: Split = field(default_factory=Split)
    budget: Budget = field(default_factory=Budget)
    blend: Blending = field(default_factory=Blending)
    precision: str = "float32"
    seed: int = 0

    @property
    def hidden(self) -> frozenset[str]:
        """Columns that nothing of the run may learn from, because a technique says so."""
        return frozenset(name for technique in self.techniques for name in technique.hidden)

    def __post_init__(self) -> None:
        ordered = sorted(self.techniques, key=lambda t: (t.stage or 0, t.order, t.name()))
        object.__setattr__(self, "techniques", tuple(ordered))
        names = [t.name() for t in ordered]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise AurifyError(f"technique {min(twice)!r} is listed twice; list it once")
        for part in (self.network, self.optimizer, *ordered):
            fix = f"; leave it out with --without {part.name()}" if isinstance(part, Technique) else ""
            if why := misfit(part, self.task, self.network):
                raise AurifyError(f"{why}{fix}")
        if self.blend.model == "trees" and Trait.COLUMNS not in self.task.traits:
            raise AurifyError(f"blend.model = trees needs the columns of a table, which {self.task.name()!r} lacks")
        if self.blend.model != "none" and not self.task.traits & {Trait.CATEGORICAL, Trait.CONTINUOUS}:
            raise AurifyError(
                f"blend.model = {self.blend.model} predicts one class or number a row, not several labels; leave it out"
            )
        if self.blend.model == "ngrams" and Trait.TEXTS not in self.task.traits:
            raise AurifyError(f"blend.model = ngrams needs texts, which {self.task.name()!r} does not read")
        slots: dict[str, str] = {}
        for technique in ordered:
            if technique.slot is not None and technique.slot in slots:
                raise AurifyError(
                    f"techniques {slots[technique.slot]!r} and {technique.name()!r} both fill the slot"
                    f" {technique.slot!r}; leave one out with --without"
                )
            if technique.slot is not None:
                slots[technique.slot] = technique.name()
        if self.precision not in ("float32", "bfloat16"):
            raise AurifyError(f"precision = {self.precision!r} is not allowed: one of float32, bfloat16")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise AurifyError(f"seed = {self.seed!r} is not allowed: a whole number from 0 to 2^63 - 1")

    def without(self, name: str) -> Recipe:
        """The recipe with one technique off."""
        return replace(self, techniques=tuple(t for t in self.techniques if t.name() != name))

    def using(self, technique: Technique) -> Recipe:
        """The recipe with one technique on, in place of one of the same name or slot."""
        others = [t for t in self.techniques if t.name() != technique.name()]
        kept = [t for t in others if technique.slot is None or t.slot != technique.slot]
        return replace(self, techniques=(*kept, technique))

    def plain(self) -> dict[str, Any]:
        """Plain data of the whole recipe, defaults included."""
        return {
            "aurify": FORMAT,
            "source": _plain(self.source),
            "split": _plain(self.split),
            "task": {"name": self.task.name(), **_plain(self.task)},
            "network": {"name": self.network.name(), **_plain(self.network)},
            "optimizer": {"name": self.optimizer.name(), **_plain(self.optimizer)},
            "techniques": {t.name(): _plain(t) for t in self.techniques},
            "budget": _plain(self.budget),
            "blend": _plain(self.blend),
            "precision": self.precision,
            "seed": self.seed,
        }

    def to_yaml(self) -> str:
        import yaml

        return yaml.safe_dump(self.plain(), sort_keys=False, allow_unicode=True)


def misfit(part: Part | type[Part], task: Task, network: Network) -> str:
    """Why a part cannot be used with a task and a network; "" where it can."""
    if absent := lacking(part, task, network):
        return f"{part.name()!r} does not fit: it needs {_needed(absent, part, network)}"
    if clash(part, network):
        return f"{part.name()!r} does not fit: the network {network.name()!r} fills the slot {network.slot!r} itself"
    return ""


def _needed(absent: Iterable[Trait], part: Part | type[Part], network: Network) -> str:
    place = "network" if isinstance(part, Network) else part.name()
    words = {
        Trait.RESIDUAL: f"residual branches, which the network {network.name()!r} lacks",
        Trait.ANY_SIZE: f"a network for images of any size, such as resnet, which {network.name()!r} is not",
        Trait.PICTURES: "images among the inputs",
        Trait.STATES: "a world of countable states, such as FrozenLake-v1",
        Trait.ACTING: "a world to act in, such as CartPole-v1",
        Trait.POLICY: "a method that learns a policy: ppo, a2c or reinforce",
        Trait.VALUES: "a method that learns what actions are worth: q_learning or sarsa",
        Trait.BLENDABLE: "rows of data, of which two can be mixed into one",
        Trait.ENCODER: f"a pretrained encoder: name a folder or a model of the hub with {place}.model=NAME",
    }
    return " and ".join(sorted(words.get(t, f"{t.name.lower()} targets or inputs") for t in absent))


def _plain(part: Part) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in part.settings().items()}


def read_yaml(text: str, name: str) -> dict[str, Any]:
    """Parse a recipe's YAML into plain data, as ``read_plain`` does; raises AurifyError for what no recipe has."""
    plain = read_plain(text, name)
    require_known(plain, name)
    return plain


def read_plain(text: str, name: str) -> dict[str, Any]:
    """Parse YAML settings into plain data; no tags, no aliases, no key twice.

    Raises AurifyError naming ``name`` and the line.
    """
    import yaml

    if len(text) > LIMIT_BYTES:
        raise AurifyError(f"{name} has {len(text):,} characters; a recipe has at most {LIMIT_BYTES:,}")

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise AurifyError(f"{name}: YAML aliases are not used in recipes; write the value out")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(k, deep=True) for k, _ in node.value]
            for key in keys:
                if not isinstance(key, str):
                    raise AurifyError(f"{name}, line {node.start_mark.line + 1}: the key {key!r} must be a name")
                if keys.count(key) > 1:
                    raise AurifyError(f"{name}, line {node.start_mark.line + 1}: {key!r} is written twice")
            return super().construct_mapping(node, deep)

    try:
        plain = yaml.load(text, Loader)  # noqa: S506 - a SafeLoader: plain values only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise AurifyError(f"{name}{where} is not YAML: {problem}") from None
    except RecursionError:
        raise AurifyError(f"{name} is nested too deeply for a recipe") from None
    if not isinstance(plain, dict):
        raise AurifyError(f"{name} is not a recipe: expected settings such as 'network:', found {type(plain).__name__}")
    return plain


def require_known(plain: Mapping[str, Any], name: str) -> None:
    """Refuse plain data with a section that no recipe has, or of another format."""
    known = {*SECTIONS, "aurify", "task", "network", "optimizer", "techniques", "precision", "seed"}
    for key in plain:
        if key not in known:
            raise AurifyError(f"{name}: a recipe has no section {key!r}{suggest(str(key), known)}")
    if plain.get("aurify", FORMAT) != FORMAT:
        raise AurifyError(f"{name} is of format {plain['aurify']!r}; this version reads format {FORMAT}")


def load_yaml(path: Path, read: Callable[[str, str], dict[str, Any]] = read_yaml) -> dict[str, Any]:
    """Read a recipe file into plain data, or one of other settings with ``read_plain``."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise AurifyError(f"{path} has {path.stat().st_size:,} bytes; a recipe has at most {LIMIT_BYTES:,}")
        return read(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise AurifyError(f"no recipe at {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AurifyError(f"{path} cannot be read as a recipe: {error}") from None


def flat(plain: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A plain recipe as ``network.width: 128``; a technique without settings is ``on``.

    >>> flat({"seed": 0, "techniques": {"focal": {"gamma": 2.0}, "clip": {}}})
    {'seed': 0, 'techniques.focal.gamma': 2.0, 'techniques.clip': 'on'}
    """
    found: dict[str, Any] = {}
    for key, value in plain.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.") if value or not prefix else {f"{prefix}{key}": "on"}
        else:
            found[f"{prefix}{key}"] = value
    return found


def seconds(text: str) -> float:
    """Read a duration: ``90``, ``90s``, ``5m``, ``1.5h``.

    >>> seconds("5m"), seconds("1.5h")
    (300.0, 5400.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)?\s*", text, re.ASCII)
    if not found or float(found[1]) == 0:
        raise AurifyError(f"a duration is written as 90s, 5m or 1h, not {text!r}")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2] or "s"]
