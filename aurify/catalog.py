"""Finds parts by file, and builds a Recipe from plain data; a new file needs no edit here or anywhere else."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from aurify.core import acting
from aurify.core.errors import AurifyError, suggest
from aurify.core.knobs import Knob
from aurify.core.parts import SEAMS, Network, Optimizer, Part, Task, Technique, fills, fits
from aurify.core.recipe import SECTIONS, Recipe, load_yaml, require_known
from aurify.core.types import Layer

KINDS: dict[str, tuple[type[Part], str]] = {
    "task": (Task, "tasks"),
    "network": (Network, "networks"),
    "optimizer": (Optimizer, "optimizers"),
    "technique": (Technique, "techniques"),
}


@dataclass
class Catalog:
    """Every part that can be named, by kind and name, and every fitted layer that a saved model may hold."""

    parts: dict[str, dict[str, type[Part]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    layers: dict[str, type[Layer]] = field(default_factory=dict)
    layer_names: dict[type[Layer], str] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> type[Part]:
        """Return the part of a name, or raise AurifyError with the nearest known one."""
        known = self.parts[kind]
        if (kind, name) == ("network", "given") and name not in known:
            raise AurifyError(
                "this model's network was passed from Python; pass it again: aurify.load(PATH, network=...)"
            )
        if name not in known:
            hint = suggest(str(name), known)
            own = "" if "mean" in hint else " (a part of your own comes with --parts FILE)"
            raise AurifyError(f"no {kind} is called {name!r}{hint}{own}")
        return known[name]

    def anywhere(self, name: str) -> tuple[str, type[Part]]:
        """Find a part of any kind by its name."""
        for kind, known in self.parts.items():
            if name in known:
                return kind, known[name]
        every = {n: part for known in self.parts.values() for n, part in known.items()}
        for part, kind in every.items():
            for setting, knob in kind.knobs().items():
                if name in (knob.choices or ()):
                    raise AurifyError(
                        f"no part is called {name!r}: it is a choice of {part}.{setting}, which aurify techniques"
                        f" {part} explains"
                    )
        raise AurifyError(f"no part is called {name!r}{suggest(name, every)}")

    def add(self, module: ModuleType) -> None:
        """Take in every part and layer that a module defines."""
        for value in list(vars(module).values()):
            if not inspect.isclass(value) or value.__module__ != module.__name__ or value.__name__.startswith("_"):
                continue
            if issubclass(value, Layer):
                name = f"{module.__name__.rpartition('.')[2]}.{value.__name__}"
                self.layers[name], self.layer_names[value] = value, name
            for kind, (base, _) in KINDS.items():
                if issubclass(value, base):
                    self._add_part(kind, value)

    def _add_part(self, kind: str, part: type[Part]) -> None:
        name = part.name()
        if name in self.parts[kind]:
            raise AurifyError(
                f"two {kind}s are called {name!r}: in {self.parts[kind][name].__module__} and {part.__module__};"
                " rename one class"
            )
        shadowed = [k for k in part.knobs() if k in SEAMS and issubclass(part, Technique)]
        if shadowed:
            raise AurifyError(f"{kind} {name!r}: a setting cannot be called {shadowed[0]!r}, as a seam is; rename it")
        self.parts[kind][name] = part

    def part(self, kind: str, plain: Any) -> Part:
        """Build a part from plain data: its name alone, or its settings with ``name`` among them."""
        settings = {"name": plain} if isinstance(plain, str) else plain
        if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
            raise AurifyError(f"{kind}: expected a name, or settings with one (name: ...), found {plain!r}")
        return self.find(kind, settings["name"]).make({k: v for k, v in settings.items() if k != "name"})

    def recipe(self, plain: Mapping[str, Any]) -> Recipe:
        """Build a Recipe from plain data such as YAML holds; raises AurifyError naming what is wrong."""
        require_known(plain, "the recipe")
        techniques = _techniques(plain)
        for section in ("task", "network", "optimizer"):
            if section not in plain:
                raise AurifyError(f"the recipe lacks the section {section!r}")
        made = {}
        for name, section in SECTIONS.items():
            given = plain.get(name) or {}
            if not isinstance(given, Mapping):
                raise AurifyError(f"{name}: expected settings, found {given!r}")
            made[name] = section.make(given)
        return Recipe(
            task=self.part("task", plain["task"]),  # pyright: ignore[reportArgumentType]
            network=self.part("network", plain["network"]),  # pyright: ignore[reportArgumentType]
            optimizer=self.part("optimizer", plain["optimizer"]),  # pyright: ignore[reportArgumentType]
            techniques=tuple(
                self.part("technique", {"name": name, **settings})  # pyright: ignore[reportArgumentType]
                for name, settings in techniques.items()
            ),
            **made,
            **{k: plain[k] for k in ("precision", "seed") if k in plain},
        )

    def displaced(
        self, techniques: Iterable[str], using: Sequence[str], network: str | None = None
    ) -> dict[str, tuple[str, str]]:
        """Which techniques of a recipe give up their slot to one of ``using``, or to the ``network``.

        Its name and the slot, by old name.
        """
        asked = {word.partition("=")[0].partition(".")[0] for word in using}
        slots = {slot: name for name in sorted(asked) if (slot := self._slot(name)) is not None}
        found = self.parts["network"].get(network or "")
        if network is not None and found is not None and issubclass(found, Network) and found.slot is not None:
            slots.setdefault(found.slot, network)
        held = {name: self._slot(name) for name in techniques if name not in asked}
        return {name: (slots[slot], slot) for name, slot in held.items() if slot in slots}

    def _slot(self, name: str) -> str | None:
        found = self.find("technique", name)
        return found.slot if issubclass(found, Technique) else None

    def read_recipe(self, path: Path) -> Recipe:
        """Build the Recipe of a YAML file; raises AurifyError naming the file."""
        plain = load_yaml(path)
        try:
            return self.recipe(plain)
        except AurifyError as error:
            raise AurifyError(f"{path}: {error}") from None

    def search_space(self, recipe: Recipe) -> dict[str, Knob]:
        """Every setting worth searching for a recipe's task, by dotted name; ``NAME.on`` switches a technique."""
        space = {}
        holders: dict[str, Part] = {"network": recipe.network, "optimizer": recipe.optimizer, "budget": recipe.budget}
        for prefix, part in holders.items():
            space |= {f"{prefix}.{k}": v for k, v in part.knobs().items() if v.searchable}
        task, own = recipe.task, recipe.task.knobs()
        meant = [name for name in task.varied if task.setting(name) is not None]  # not every method has all of them
        space |= {f"task.{name}": own[name] for name in meant if own[name].searchable}
        for name, technique in self.parts["technique"].items():
            if issubclass(technique, Technique) and fits(technique, recipe.task, recipe.network):
                space[f"{name}.on"] = Knob(technique.idea(), choices=(False, True))
                space |= {f"{name}.{k}": v for k, v in technique.knobs().items() if v.searchable}
        return space


def _techniques(plain: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings by technique, from a mapping (``mixup: {alpha: 0.4}`` or ``mixup:``) or a list of names."""
    given = plain.get("techniques") or {}
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        given = dict.fromkeys(given)
    if not isinstance(given, Mapping):
        raise AurifyError(f"techniques: expected names with their settings, found {given!r}")
    for name, settings in given.items():
        if not isinstance(settings, Mapping) and settings not in (None, True):
            raise AurifyError(f"techniques.{name}: expected settings, found {settings!r}")
    return {str(name): dict(settings) if isinstance(settings, Mapping) else {} for name, settings in given.items()}


def load(extra: Iterable[str | Path] = ()) -> Catalog:
    """Import the package's own parts and the user's files or folders of parts."""
    import aurify
    from aurify.data import characters, encoders, image_encoders, image_layers, ngram_scores, prepare, trees
    from aurify.worlds import seen

    catalog = Catalog()
    for module in (characters, encoders, image_encoders, image_layers, ngram_scores, prepare, seen, trees):
        catalog.add(module)
    for _, folder in KINDS.values():
        package = importlib.import_module(f"aurify.{folder}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
            catalog.add(importlib.import_module(f"{aurify.__name__}.{folder}.{info.name}"))
    for path in map(Path, extra):
        files = sorted(path.glob("*.py")) if path.is_dir() else [path]
        if not files:
            raise AurifyError(f"--parts {path} holds no .py file")
        for file in files:
            catalog.add(_import_file(file))
    return catalog


def _import_file(path: Path) -> ModuleType:
    name = f"aurify_parts.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise AurifyError(f"--parts {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except AurifyError:
        raise
    except Exception as error:
        line = _line_in(error, path)
        raise AurifyError(f"--parts {path}{line}: {type(error).__name__}: {error}") from error
    return module


def _line_in(error: Exception, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    trace, number = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            number = trace.tb_lineno
        trace = trace.tb_next
    return f", line {number}" if number else ""


def override(
    plain: Mapping[str, Any], *, settings: Sequence[str] = (), using: Sequence[str] = (), without: Sequence[str] = ()
) -> dict[str, Any]:
    """Apply ``a.b=value`` settings, techniques to add (``mixup`` or ``mixup.alpha=0.4``) and to leave out.

    ``network=NAME`` and ``optimizer=NAME`` choose another part. Raises AurifyError for a word it cannot place.
    """
    result = {k: dict(v) if isinstance(v, Mapping) else v for k, v in plain.items()}
    techniques = _techniques(plain)
    for name in without:
        if name not in techniques:
            raise AurifyError(f"--without {name}: the recipe does not use it{suggest(name, techniques)}")
        del techniques[name]
    for word in using:
        path, _, text = word.partition("=")
        name, _, setting = path.partition(".")
        if bool(setting) != ("=" in word):
            raise AurifyError(f"--with {word}: write a technique (mixup) or one setting of it (mixup.alpha=0.4)")
        techniques.setdefault(name, {})
        if setting:
            techniques[name][setting] = value(text)
    for word in settings:
        path, equals, text = word.partition("=")
        if not equals:
            raise AurifyError(f"--set {word}: write a setting and its value, such as network.width=256")
        _place(result, techniques, path, value(text))
    return {**result, "techniques": techniques}


def _place(result: dict[str, Any], techniques: dict[str, dict[str, Any]], path: str, value: Any) -> None:
    first, _, rest = path.partition(".")
    first, rest = (rest.partition(".")[0], rest.partition(".")[2]) if first == "techniques" else (first, rest)
    sections = {*SECTIONS, "task", "network", "optimizer"}
    if first in ("precision", "seed") and not rest:
        result[first] = value
    elif first in ("task", "network", "optimizer") and not rest:
        result[first] = {"name": value}
    elif first in sections and rest:
        held = result.get(first) or {}
        held = {"name": held} if isinstance(held, str) else held
        if not isinstance(held, Mapping):
            raise AurifyError(f"{first}: expected settings, found {held!r}")
        result[first] = {**held, rest: value}
    elif first in techniques and rest:
        techniques[first][rest] = value
    elif first in sections or first in techniques:
        raise AurifyError(f"--set {path}: name one of its settings, such as {first}.SETTING={value}")
    else:
        known = sorted(sections | set(techniques) | {"precision", "seed"})
        raise AurifyError(
            f"--set {path}: the recipe has no part {first!r}{suggest(first, known)}"
            f" (a technique that is off is switched on with --with {path}=...)"
        )


def value(text: str) -> Any:
    """Read a value as YAML would: numbers, true and false, null, [lists], or a text."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def describe(part: type[Part], kind: str) -> str:
    """Explain a part from its docstring and settings, in Markdown."""
    lines = [f"# {part.name()} ({kind})", "", inspect.cleandoc(part.__doc__ or "")]
    knobs = part.knobs()
    if knobs:
        lines += ["", "Settings:", ""]
        defaults = {n: f.default for n, f in part.__dataclass_fields__.items()}
        for name, knob in knobs.items():
            search = ""
            if knob.choices is None and knob.low is not None:
                search = f"; searched {knob.low:g} to {knob.high:g}{' (log)' if knob.log else ''}"
            lines.append(f"- `{name}` = {_shown(defaults[name])}: {knob.help}; allowed {knob.rule()}{search}")
    if issubclass(part, Technique):
        seams = [s for s in SEAMS if fills(part, s)] + [s for s in acting.SEAMS if hasattr(part, s)]
        needs = sorted(t.name.lower() for t in part.needs)
        lines += ["", f"Seams: {', '.join(seams)}. Needs: {', '.join(needs) or 'nothing special'}."]
        lines += [f"Slot: {part.slot}, which holds one technique at a time."] if part.slot else []
        off = ", ".join(f"{k}={_shown(v)}" for k, v in part.neutral.items())
        lines.append(f"Equal to off with: {off}.")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if value in (None, "") or isinstance(value, bool):
        return {None: "nothing", "": "nothing", True: "true", False: "false"}[value]
    return str(value)
