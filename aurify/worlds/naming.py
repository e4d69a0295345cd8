"""Names of environments: Gymnasium's ids and classes of the user's own, found and made, or why not in one line."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from aurify.core.errors import AurifyError, listing, suggest
from aurify.core.optional import imported

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.envs.registration import EnvSpec
    from gymnasium.vector import VectorEnv

T = TypeVar("T")

ID = re.compile(r"(?:(?P<package>[A-Za-z_][\w.]*):)?(?P<id>(?:(?P<namespace>[\w-]+)/)?(?P<name>[A-Za-z][\w.-]*)-v\d+)")
"""``CartPole-v1``, ``aurify/GridWorld-v0`` and, of a package that has to be imported first, ``package:Name-v0``."""

OWN = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")
"""``my_module:MyEnv``, a class of an environment, or a function of the user's own that returns one."""

EXTRAS = {
    "ALE": ("ale_py", "gymnasium[atari]"),
    "box2d": ("Box2D", "aurify[box2d]"),
    "classic_control": ("pygame", "gymnasium[classic-control]"),
    "mujoco": ("mujoco", "gymnasium[mujoco]"),
    "phys2d": ("jax", "gymnasium[jax]"),
    "tabular": ("jax", "gymnasium[jax]"),
    "toy_text": ("pygame", "gymnasium[toy-text]"),
}
"""What the environments of a namespace, or of a package of ``gymnasium.envs``, import, and how it is installed."""

LIMIT = "max_episode_steps"
"""The setting that every environment takes: after how many steps an episode is cut off."""


def looks_like_a_world(source: str) -> bool:
    """Whether a source is written as an environment is, and is no file or folder that exists."""
    return bool(ID.fullmatch(source) or OWN.fullmatch(source)) and not Path(source).exists()


def meant(source: str) -> str:
    """How a world is written that was named without its version or without its class; "" where none is known."""
    path = Path(source)
    if path.suffix == ".py":
        return f"{path.stem}:MyEnv"
    if importlib.util.find_spec("gymnasium") is None:
        return ""
    specs = [spec for spec in library().registry.values() if f"{spec.namespace}/{spec.name}".endswith(f"/{source}")]
    return max(specs, key=lambda spec: spec.version or 0).id if specs else ""


def library() -> ModuleType:
    """Gymnasium; raises AurifyError where it is not installed."""
    return imported("gymnasium", "control", "control")


def make(source: str, settings: Mapping[str, Any], render: str | None = None) -> gymnasium.Env[Any, Any]:
    """One environment, unchecked, with its time limit.

    Raises AurifyError where there is none of that name, where it takes no such setting, or where it cannot be made.
    """
    gymnasium = library()
    given = {**settings, **({} if render is None else {"render_mode": render})}
    spec = replace(found(source), order_enforce=False)  # whoever steps it begins it first: nothing need watch over that
    _check_settings(source, spec, settings)
    return _guarded(source, spec, lambda: gymnasium.make(spec, disable_env_checker=True, **given))


def make_many(source: str, settings: Mapping[str, Any], count: int) -> VectorEnv[Any, Any, Any] | None:
    """Environments of a class of their own that steps ``count`` of them together; None where there is none.

    Only such a class is meant that begins each environment by a seed of its own, leaves to the caller when, and has
    ``state()`` and ``restore(state)``.
    """
    gymnasium, spec = library(), found(source)
    entry = spec.vector_entry_point
    if entry is None:
        return None
    kind = gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
    if not (callable(getattr(kind, "state", None)) and callable(getattr(kind, "restore", None))):
        return None
    given = {"max_episode_steps": spec.max_episode_steps, **spec.kwargs, **settings}
    return kind(num_envs=count, autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED, **given)


def found(source: str) -> EnvSpec:
    """What Gymnasium needs to know to make the environment of a name; raises AurifyError where there is none."""
    gymnasium = library()
    if own := OWN.fullmatch(source):
        module = _module(source, own["module"])
        entry = getattr(module, own["name"], None)
        if entry is None:
            known = [name for name, value in vars(module).items() if _is_class(value, gymnasium.Env)]
            raise AurifyError(f"{own['module']} has no {own['name']!r}{suggest(own['name'], known)}")
        if not _is_class(entry, gymnasium.Env) and not _is_function_here(entry, own["module"]):
            raise AurifyError(
                f"{source} is no environment: name a class made of gymnasium.Env, or a function that returns one and is"
                f" written in a module of {Path.cwd()}"
            )
        return gymnasium.envs.registration.EnvSpec(id=source, entry_point=entry)
    named = ID.fullmatch(source)
    if named is None:
        raise AurifyError(f"{source!r} names no environment; write an id, such as CartPole-v1, or my_module:MyEnv")
    if named["package"]:
        _module(source, named["package"])
    from aurify.worlds import grid_world  # here, for it is made of what may not be installed

    grid_world.register()
    if named["id"] not in gymnasium.registry:
        raise _unknown(named, gymnasium.registry)
    return gymnasium.registry[named["id"]]


def file_of(source: str) -> Path | None:
    """The file of the user's own code that an environment is made of; None of one that goes by an id."""
    own = OWN.fullmatch(source)
    file = None if own is None else getattr(_module(source, own["module"]), "__file__", None)
    return None if file is None else Path(file)


def failed(source: str, what: str, error: Exception, extra: str | None = None) -> AurifyError:
    """What went wrong in an environment's code, in one line: where in the user's own file, and how."""
    if extra is not None and isinstance(error, (ImportError, library().error.DependencyNotInstalled)):
        return AurifyError(f"{source} needs packages that are not installed: pip install '{extra}'")
    own = OWN.fullmatch(source)
    file = getattr(sys.modules.get(own["module"]), "__file__", None) if own else None
    place = "" if file is None else _place(error, file)
    message = " ".join(str(error).split())
    if not place and "values to unpack" in message:
        message += "; reset returns (observation, info), step (observation, reward, terminated, truncated, info)"
    return AurifyError(f"{source} {what}: {place}{type(error).__name__}{': ' if message else ''}{message}")


def _guarded(source: str, spec: EnvSpec, make: Callable[[], T]) -> T:
    """What an environment's own code makes; its warnings are for whoever wrote it."""
    try:
        with _from_here(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make()
    except AurifyError:
        raise
    except Exception as error:
        raise failed(source, "cannot be made", error, _extra(spec)) from error


def _check_settings(source: str, spec: EnvSpec, settings: Mapping[str, Any]) -> None:
    limit = settings.get(LIMIT)
    if LIMIT in settings and (type(limit) is not int or limit < 1):
        raise AurifyError(f"{LIMIT} = {limit!r}: it must be a whole number from 1")
    entry = spec.entry_point
    if isinstance(entry, str):
        creator = library().envs.registration.load_env_creator
        entry = _guarded(source, spec, lambda: creator(entry))
    known = inspect.signature(entry).parameters if callable(entry) else {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return
    for name in settings:
        if name != LIMIT and name not in known:
            raise AurifyError(f"{source} has no setting {name!r}{suggest(name, {*known, LIMIT} - {'render_mode'})}")


def _unknown(named: re.Match[str], registry: Mapping[str, EnvSpec]) -> AurifyError:
    """Why there is no environment of an id."""
    wanted, space = named["id"], named["namespace"]
    spaces = {spec.namespace for spec in registry.values()}
    if space is not None and space not in spaces:
        if space in EXTRAS:
            return AurifyError(f"{wanted} needs packages that are not installed: pip install '{EXTRAS[space][1]}'")
        near = difflib.get_close_matches(space, [known for known in spaces if known], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"if a package makes it known, write package:{wanted}"
        return AurifyError(f"there is no environment {wanted!r}: nothing installed has a namespace {space!r}; {hint}")
    alike = [spec for spec in registry.values() if (spec.namespace, spec.name) == (space, named["name"])]
    if alike:
        versions = listing(spec.id for spec in sorted(alike, key=lambda spec: spec.version or 0))
        return AurifyError(f"there is no environment {wanted!r}; its versions are {versions}")
    near = difflib.get_close_matches(wanted, list(registry), n=1)
    extra = _extra(registry[near[0]]) if near else None
    hint = "" if extra is None else f" (that needs: pip install '{extra}')"
    return AurifyError(f"there is no environment {wanted!r}{suggest(wanted, registry)}{hint}")


def _extra(spec: EnvSpec) -> str | None:
    """What is to be installed for an environment of Gymnasium's, where something is."""
    entry = spec.entry_point if isinstance(spec.entry_point, str) else ""
    place = re.match(r"gymnasium\.envs\.(\w+)", entry)
    module, extra = EXTRAS.get(place[1] if place else "", (None, None))
    return extra if module is not None and importlib.util.find_spec(module) is None else None


def _module(source: str, name: str) -> ModuleType:
    """A module of the current folder or an installed one; raises AurifyError with what goes wrong in it."""
    try:
        with _from_here():
            return importlib.import_module(name)
    except AurifyError:
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name in (name, name.partition(".")[0]):
            beside = [path.stem for path in Path.cwd().glob("*.py")]
            hint = difflib.get_close_matches(name, beside, n=1)
            near = f"did you mean {hint[0]!r}?" if hint else f"put {name}.py into {Path.cwd()} or install it"
            raise AurifyError(f"{source}: there is no module {name!r}; {near}") from error
        file = str(Path.cwd().joinpath(*name.split(".")).with_suffix(".py"))
        message = " ".join(str(error).split())
        raise AurifyError(f"{source}: {_place(error, file)}{type(error).__name__}: {message}") from error


def _place(error: Exception, file: str) -> str:
    """The file and the last of its lines that an error went through; "" where it went through none."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"{Path(file).name}, line {error.lineno}: "
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{Path(file).name}, line {line}: " if line else ""


def _is_class(value: Any, kind: type) -> bool:
    return isinstance(value, type) and issubclass(value, kind) and value is not kind


def _is_function_here(value: Any, module: str) -> bool:
    """Whether a function is of the current folder: a run folder from elsewhere may name any that is installed."""
    place = Path.cwd().joinpath(*module.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return inspect.isfunction(value) and value.__code__.co_filename in map(str, files)


@contextmanager
def _from_here() -> Iterator[None]:
    """Modules of the current folder are found, as ``python -m`` finds them."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
