"""Parts: keyword-only dataclasses whose fields are their settings, and the seams a technique may fill."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from enum import Enum, IntEnum, auto
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

from aurify.core.errors import AurifyError, listing, suggest
from aurify.core.knobs import Knob, checked
from aurify.core.knobs import knob as knob  # parts are written with one import
from aurify.core.knobs import state as state
from aurify.core.once import Once, anew


class Trait(Enum):
    """What a task offers and a technique may need."""

    CATEGORICAL = auto()  # targets are class probabilities (B, K)
    BERNOULLI = auto()  # targets are independent probabilities (B, K): multi-label
    CONTINUOUS = auto()  # targets are numbers (B,)
    COLUMNS = auto()  # inputs are named columns of numbers and codes, prepared by layers
    ENTERED = auto()  # inputs may enter as one row of numbers
    TEXTS = auto()  # among the inputs are texts, which become tokens
    IMAGES = auto()  # among the inputs are images, which layers prepare and edits change
    PICTURES = auto()  # among the inputs may be images that a network looks at
    BLENDABLE = auto()  # entries blend encoded examples: a convex mix of two is an example
    OFFLINE = auto()  # batches do not depend on the model
    ACTING = auto()  # what is learnt from comes of actions in a world
    POLICY = auto()  # actions are drawn from a policy, which is learnt itself
    VALUES = auto()  # actions are chosen by learnt values of theirs
    RESIDUAL = auto()  # offered by networks: branches beside a plain path, which may be skipped
    ANY_SIZE = auto()  # offered by networks: their images may have another size than the signature says
    ENCODER = auto()  # offered by a part itself once its settings name a pretrained encoder
    STATES = auto()  # the input is one category: in which of finitely many states one is
    ENCODED = auto()  # offered by a part that encodes texts once, before training: no tokens are left to change


class Stage(IntEnum):
    """When a preparing technique acts; each sees the columns as earlier stages left them."""

    PARSE = 0
    CLIP = 1
    FILL = 2
    SCALE = 3
    ENCODE = 4


@dataclass(kw_only=True)
class Part:
    """Base of everything a recipe names. Settings are fixed once made; ``state()`` fields change during a run.

    ``needs`` are the traits a task or its network must offer for the part to be used with it; ``unexportable`` says
    why an ONNX graph cannot hold what the part adds to a model ("" when it can); a part that can with some of its
    settings only overrides ``why_unexportable`` instead.
    """

    needs: ClassVar[frozenset[Trait]] = frozenset()
    unexportable: ClassVar[str] = ""

    @property
    def offers(self) -> frozenset[Trait]:
        """What the part's settings bring about: of a network for techniques too, beside the task's traits."""
        return frozenset()

    @classmethod
    def name(cls) -> str:
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def knobs(cls) -> dict[str, Knob]:
        """Settings by name, in the order they were written."""
        return {f.name: f.metadata.get("knob", Knob("")) for f in _settings(cls)}

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.knobs()}

    def __post_init__(self) -> None:
        for setting in _settings(type(self)):
            value = checked(self.name(), setting, _types(type(self))[setting.name], getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)
        object.__setattr__(self, "_made", True)

    def __setattr__(self, name: str, value: Any) -> None:
        if getattr(self, "_made", False) and name in self.knobs():
            raise AttributeError(f"{self.name()}.{name} is a setting and cannot change; make a new part")
        object.__setattr__(self, name, value)

    @property
    def files(self) -> tuple[str, ...]:
        """Files of the user's whose content decides what comes out: a study measures anew what changed ones make.

        Those that settings with ``file`` name, as far as they are there; a part that reads others says so itself.
        """
        named = (getattr(self, name) for name, setting in self.knobs().items() if setting.file)
        return tuple(str(path) for word in named if word and (path := Path(str(word)).expanduser()).is_file())

    def why_unexportable(self) -> str:
        """Say why an ONNX graph cannot hold what the part adds with these settings; "" when it can."""
        return self.unexportable

    @classmethod
    def make(cls, settings: Mapping[str, Any]) -> Self:
        """Build the part from plain data; an unknown setting is refused with the nearest known one."""
        known = cls.knobs()
        for name in settings:
            if name not in known:
                raise AurifyError(f"{cls.name()} has no setting {name!r}{suggest(str(name), known)}")
        missing = [f.name for f in _settings(cls) if f.default is MISSING and f.name not in settings]
        if missing:
            raise AurifyError(f"{cls.name()} needs a value for {listing(missing)}")
        return cls(**settings)

    @classmethod
    def idea(cls) -> str:
        """The docstring's first sentence, on one line."""
        return re.split(r"(?<=[.])(?<!al\.)\s+(?=[A-Z`])|\n\n", inspect.cleandoc(cls.__doc__ or ""))[0].replace(
            "\n", " "
        )


@cache
def _settings(cls: type[Part]) -> tuple[Field[Any], ...]:
    return tuple(f for f in fields(cls) if f.init)


@cache
def _types(cls: type[Part]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


if typing.TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch
    from torch import Tensor, nn

    from aurify.core.recipe import Recipe, Source
    from aurify.core.run import Problem, Run
    from aurify.core.types import Batch, Held, Layer, RowPlan, Signature, View


@dataclass(kw_only=True)
class Task(Part):
    """One kind of problem: how its source is read, what a batch is, what is predicted.

    What ``read`` returns (``store``) and ``part`` makes of it (``parts``) is the task's own affair; everyone else
    passes them on.

    ``examples`` are what it learns from: ``rows`` of data or ``episodes`` in a world; ``answer_name`` is what the
    column of its answers is called. ``plainest`` names the network and the optimizer that stand in where a recipe's own
    is taken away; ``first_knobs`` are those that a search turns where nothing is said, with narrower limits than their
    own or None. ``varied`` are settings of its own that a study may vary, all else equal.
    """

    examples: ClassVar[str] = "rows"
    answer_name: ClassVar[str] = "prediction"
    plainest: ClassVar[Mapping[str, str]] = {}
    first_knobs: ClassVar[Mapping[str, tuple[float, float] | None]] = {}
    varied: ClassVar[tuple[str, ...]] = ()

    def setting(self, name: str) -> Any:
        """What a setting comes to, where the recipe may leave it open."""
        return getattr(self, name)

    @property
    def traits(self) -> frozenset[Trait]:
        """What techniques may count on; a task whose kind is not settled yet offers all it may come to offer."""
        return frozenset()

    def read(self, source: Source, data: Any, by: str = "random", *, labelled: bool = True) -> Any:
        """Read ``data`` (a path or a frame) into a Store, with what was noticed; ``by`` is that of the split.

        Without ``labelled`` the data is only looked at: the target may be absent, and of very many rows some are read.
        """
        raise NotImplementedError

    def ask(self, schema: Any, data: Any, source: Source, *, labelled: bool, by: str = "random") -> Any:
        """Read new data (a path or a frame) as the schema says: to predict it or, ``labelled``, to measure on it.

        ``source`` is the recipe's: how its file was to be read holds for new files too.
        """
        raise NotImplementedError

    def rather(self, store: Any) -> str | None:
        """The task that reads the same Store and is rather meant for it, where the user named none; None: this one."""
        return None

    def settled(self, store: Any) -> Self:
        """The task with every ``auto`` decided by the data."""
        return self

    def defaults(self, store: Any) -> dict[str, Any]:
        """Plain data of the recipe this task starts from: networks and techniques by name."""
        raise NotImplementedError

    def part(self, recipe: Recipe, store: Any) -> Any:
        """Part the examples before anything is fitted."""
        raise NotImplementedError

    def folds(self, recipe: Recipe, store: Any, among: Any = None) -> list[Any]:
        """Part the examples (``among`` them, where it says which) ``recipe.split.folds`` times: each is tested once."""
        raise NotImplementedError

    def samples(self, recipe: Recipe, store: Any, among: Any, count: int, most: int | None) -> Any:
        """Draw ``count`` samples of at most ``most`` examples ``among`` those that a study may use (``Samples``)."""
        raise NotImplementedError

    def alone(self) -> Self:
        """The task with one model to learn, where several may learn side by side."""
        return self

    def shortened(self, recipe: Recipe, steps: int) -> Recipe:
        """The recipe with at most so many steps in its world, of a task that acts."""
        raise NotImplementedError

    def whole(self, folds: list[Any]) -> Any:
        """The parts of the model that is shipped from folds: all their examples to learn from, none to test."""
        raise NotImplementedError

    def problem(self, recipe: Recipe, store: Any, parts: Any, device: torch.device, once: Once = anew) -> Problem:
        """Bind the task to data: fit what prepares it, on the training rows alone, and pose what is to be learnt.

        With ``once`` what was fitted for another recipe on the same ``parts`` with the same seed is not fitted again.
        """
        raise NotImplementedError

    def baselines(
        self, recipe: Recipe, store: Any, parts: Any, asked: Any, check: Callable[[], None]
    ) -> dict[str, Any]:
        """Predictions of the plain models a network must beat, by name, for the examples ``asked`` about.

        Fitted on all training rows; ``check`` is called now and then and may raise to stop the work.
        """
        raise NotImplementedError

    def outputs(self, schema: Any) -> int:
        """How many numbers (K) a network says of a row: one of each class, or one."""
        return 1 if schema.classes is None else len(schema.classes)

    def merge(self, output: Tensor) -> Tensor:
        """One output (B, K) of a network's (B, K), or of those of M members trained side by side (B, M, K)."""
        raise NotImplementedError

    def answers(self, output: Tensor) -> Tensor:
        """From outputs (B, K) to what users read: class probabilities (B, K) or numbers (B,)."""
        raise NotImplementedError


@dataclass(kw_only=True)
class Network(Part):
    """Settings of a network and how to build it.

    A network that fills a ``slot`` does itself what techniques of that slot do; none of them is used beside it.
    ``all_cores`` says that its steps are large enough for several cores to share (convolutions): one model then trains
    on all of them, where nobody says how many. ``stacks`` says that several may lie stacked in one module and train as
    each would alone: whatever mixes rows is a layer with tensors of its own, or knows of the models side by side.
    """

    stacks: ClassVar[bool] = False
    slot: ClassVar[str | None] = None
    all_cores: ClassVar[bool] = False

    def layer(self, view: View) -> Layer | None:
        """Fit what turns texts into what the network was made for, after all techniques; None: the bare conversion."""
        return None

    def build(self, signature: Signature) -> nn.Module:
        """Return a module called as ``module(inputs, blend)``: a mapping of (B, ...) tensors to outputs (B, K).

        Members trained side by side, each with a loss of its own, return (B, M, K); tasks merge them.

        Weights are drawn afterwards, each layer's from its own stream; a saved model is rebuilt by this alone.
        """
        raise NotImplementedError

    def first_weights(self, model: nn.Module) -> None:
        """Put in place what should not begin at random: zeros, orthogonal heads, pretrained weights."""

    def groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Parameter groups before techniques part them: every trained parameter in one, ``rate`` its share."""
        return [{"params": [p for p in model.parameters() if p.requires_grad]}]


@dataclass(kw_only=True)
class Optimizer(Part):
    """Settings of an optimizer; ``learning_rate`` is the rate that schedules multiply.

    ``stacks`` says that it treats numbers one by one: weights of several models may then lie in one tensor.
    """

    stacks: ClassVar[bool] = False

    learning_rate: float = knob(
        1e-3, "step size that schedules multiply", low=1e-4, high=1e-1, log=True, legal=(0.0, 1e3)
    )

    def batch_size(self, asked: int, rows: int) -> int:
        """Rows per update, of ``rows`` in all; an optimizer may insist on its own number."""
        return asked

    def build(self, groups: list[dict[str, Any]], model: nn.Module) -> Any:
        """Return a torch optimizer, or what acts as one, over parameter groups.

        Each has ``params`` and perhaps ``weight_decay`` and ``rate``, its share of the learning rate.
        ``model`` tells what a parameter belongs to, for optimizers that treat kinds of layers differently.
        """
        raise NotImplementedError


@dataclass(kw_only=True)
class Technique(Part):
    """One idea that can be switched on or off. Override only the seams it needs; return new values, patch nothing.

    ``neutral`` settings equal "off" bit for bit, ``vivid`` ones must
    change something; of two techniques with one ``slot`` only one may be used; ``order`` sorts seams that do not
    commute (higher later); ``stacks`` says whether it is right when several seeds train as one stacked program;
    ``family`` is what techniques of its kind are called together, such as ``regularisation``; ``with_weights`` names
    the state that belongs to the weights: who goes back to earlier weights goes back to it too, so it is replaced and
    never changed in place.
    """

    family: ClassVar[str] = ""
    neutral: ClassVar[Mapping[str, Any]] = {}
    vivid: ClassVar[Mapping[str, Any]] = {}
    stage: ClassVar[Stage | None] = None
    slot: ClassVar[str | None] = None
    order: ClassVar[int] = 0
    stacks: ClassVar[bool] = False
    with_weights: ClassVar[tuple[str, ...]] = ()

    @property
    def idle(self) -> str:
        """Why it would do nothing for a user who asks for it, and what to do: refused after its name; "": it does."""
        return ""

    @property
    def hidden(self) -> tuple[str, ...]:
        """Columns that nobody may learn from, the plain models beside the network included.

        Rows to learn from come without their values, rows to answer for with them: ``layer`` must leave them out too.
        """
        return ()

    # before training, on training rows only
    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        """Say which training rows to use, with what weight, partner or corrected target."""
        return plan

    def layer(self, view: View) -> Layer | None:
        """Fit a preparing step on the training rows; None when the settings ask for nothing.

        Where the view's own rows must come out otherwise than new rows would (encodings fitted out of fold), set
        ``layer.own`` to the values that go on from there; what the same rows may be in other words goes to
        ``layer.other``, and from it into every batch.
        """
        return None

    def target(self, view: View) -> Layer | None:
        """Fit how a target is learnt: ``layer.encode(target)`` and ``layer(output)`` back to its own units."""
        return None

    # once, around the optimizer
    def begin(self, model: nn.Module, recipe: Recipe) -> None:
        """Change the built network before the optimizer sees it; replayed when a saved model is rebuilt."""

    def groups(self, run: Run, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Split or annotate parameter groups; every parameter stays in exactly one."""
        return groups

    def wrap_optimizer(self, optimizer: Any, run: Run) -> Any:
        """Return an optimizer around ``optimizer``: ``step(closure)``, ``param_groups``, ``state_dict``."""
        return optimizer

    # each step
    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        """Multiply the learning rate of this step, for one parameter group."""
        return 1.0

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        """Return the global batch changed."""
        return batch

    def weigh(self, losses: Tensor, output: Tensor, batch: Batch, run: Run) -> Tensor:
        """Return the per-example losses (B,) changed."""
        return losses

    def penalty(self, output: Tensor, batch: Batch, run: Run) -> Tensor | float:
        """Return a term added to the mean loss."""
        return 0.0

    def on_gradients(self, run: Run) -> None:
        """Change gradients in place before the update."""

    def after_update(self, run: Run) -> None:
        """Look at the weights after each update."""

    # each validation
    def evaluating(self, run: Run) -> AbstractContextManager[None] | None:
        """Return a context around each validation, for instance with averaged weights in place."""
        return None

    def on_score(self, scores: Tensor, run: Run) -> None:
        """React to the validation scores (S,) of the models side by side, mostly of one (higher is better)."""

    # once, at the end
    def finish(self, run: Run) -> None:
        """Put the final weights in place."""

    def answer(self, run: Run, held: Held) -> Layer | None:
        """Fit on held-out training rows a last step from outputs to outputs, before probabilities are taken."""
        return None


SEAMS: tuple[str, ...] = tuple(n for n, v in vars(Technique).items() if inspect.isfunction(v) and n[0] != "_")
"""Names of every seam, in the order a run meets them."""


def fits(part: type[Part] | Part, task: Task, network: Network | None = None) -> bool:
    """Say whether a part can be used with a task and a network."""
    return not lacking(part, task, network) and not (network and clash(part, network))


def lacking(part: type[Part] | Part, task: Task, network: Network | None = None) -> frozenset[Trait]:
    """What a part needs and nobody offers, neither task nor network nor its own settings."""
    own = part.offers if isinstance(part, Part) else frozenset()
    return part.needs - task.traits - own - (network.offers if network else frozenset())


def clash(part: type[Part] | Part, network: Network) -> bool:
    """Say whether a technique would do what the network does itself."""
    kind = part if isinstance(part, type) else type(part)
    return issubclass(kind, Technique) and kind.slot is not None and kind.slot == network.slot


def fills(technique: Technique | type[Technique], seam: str) -> bool:
    """Say whether a technique has a seam of its own."""
    kind = technique if isinstance(technique, type) else type(technique)
    return getattr(kind, seam) is not getattr(Technique, seam)
