"""Parts that each break one promise, for the checks to catch."""

import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from aurify.blocks.entries import Entries
from aurify.core.parts import Network, Optimizer, Stage, Technique, Trait, knob
from aurify.core.types import Layer


@dataclass(kw_only=True)
class Sound(Technique):
    """Add noise to every gradient (Neelakantan et al. 2015). Helps: very deep networks. Hurts: short training."""

    scale: float = knob(0.01, "deviation of the noise", low=0.0, high=0.1, legal=(0.0, 1.0))
    neutral = {"scale": 0.0}
    vivid = {"scale": 0.5}

    def on_gradients(self, run):
        for at, weight in enumerate(run.model.parameters()):
            weight.grad += self.scale * torch.randn(weight.shape, generator=run.random(f"sound/{at}"))


class NeverOff(Sound):
    __doc__ = Sound.__doc__

    def on_gradients(self, run):
        for weight in run.model.parameters():
            weight.grad += self.scale + 0.01


class FromTheGlobalGenerator(Sound):
    __doc__ = Sound.__doc__

    def on_gradients(self, run):
        for weight in run.model.parameters():
            weight.grad += self.scale * torch.randn(weight.shape)


class Seeding(Sound):
    __doc__ = Sound.__doc__

    def on_gradients(self, run):
        torch.manual_seed(run.step)
        for weight in run.model.parameters():
            weight.grad += self.scale * torch.randn(weight.shape)


class Forgetful(Sound):
    __doc__ = Sound.__doc__
    seen = 0  # should be a field made with state()

    def on_gradients(self, run):
        self.seen += 1
        for weight in run.model.parameters():
            weight.grad += self.scale * self.seen


class Idle(Sound):
    __doc__ = Sound.__doc__

    def on_gradients(self, run):
        pass


class Wild(Sound):
    __doc__ = Sound.__doc__

    def after_update(self, run):
        with torch.no_grad():
            for weight in run.model.parameters():
                weight += torch.tensor(float("inf")) if self.scale == 0.5 else 0.0


class Failing(Sound):
    __doc__ = Sound.__doc__

    def on_gradients(self, run):
        raise ValueError("no gradient here")


class OthersWeights(Sound):
    __doc__ = Sound.__doc__

    def begin(self, model, recipe):
        if self.scale:
            model.leave.weight.data.normal_()


@dataclass(kw_only=True)
class Undocumented(Sound):
    __doc__ = Sound.__doc__
    power: float = 2.0


@dataclass
class ByPosition(Sound):
    __doc__ = Sound.__doc__
    power: float = knob(2.0, "how often it is multiplied", low=1.0, high=3.0)


@dataclass(kw_only=True)
class Demanding(Sound):
    __doc__ = Sound.__doc__
    column: str = knob(help="where it looks", column=True)


class Sourceless(Sound):
    """Add noise to every gradient. Helps: very deep networks. Hurts: short training."""


class OnlyNumbers(Sound):
    __doc__ = Sound.__doc__
    needs = frozenset({Trait.CONTINUOUS})


@dataclass(kw_only=True)
class Shift(Technique):
    """Add to every number its size (Nobody 2001). Helps: nothing. Hurts: nothing."""

    by: float = knob(0.5, "what is added", low=0.0, high=1.0)
    neutral = {"by": 0.0}
    needs = frozenset({Trait.COLUMNS})
    stage = Stage.CLIP

    def layer(self, view):
        return Shifted(self.by) if self.by else None


class Shifted(Layer):
    def __init__(self, by):
        super().__init__()  # its field is not given on, so nobody can build it again
        self.by = by

    def forward(self, values):
        return {**values, "numbers": values["numbers"] + self.by * values["numbers"].abs()}


class GlobalShift(Shift):
    __doc__ = Shift.__doc__

    def layer(self, view):
        return Moved(by=self.by * float(np.random.rand())) if self.by else None  # noqa: NPY002


class Moved(Layer):
    by: float

    def forward(self, values):
        return {**values, "numbers": values["numbers"] + self.by * values["numbers"].abs()}


@dataclass(kw_only=True)
class Peeking(Technique):
    """Weigh rows by what the whole table holds (Nobody 2001). Helps: cheats. Hurts: everybody else."""

    share: float = knob(0.5, "how much", low=0.0, high=1.0)
    neutral = {"share": 0.0}

    def rows(self, view, plan):
        frame = sys._getframe()
        while "store" not in frame.f_locals:
            frame = frame.f_back
        below = (
            float(np.nanmean(np.array(frame.f_locals["store"].inputs["numbers"])[:, 0]))
            > view.values["numbers"][plan.index, 0].nan_to_num()
        )
        return type(plan)(plan.index, plan.weight * (1 - self.share * below.double()))


@dataclass(kw_only=True)
class Crowd(Network):
    """Look at a row's distance to the others of its batch (Nobody 2001). Helps: nothing. Hurts: whoever asks alone."""

    def build(self, signature):
        return _Crowd(signature)


class _Crowd(nn.Module):
    def __init__(self, signature):
        super().__init__()
        self.enter = Entries(signature)
        self.leave = nn.Linear(self.enter.width, signature.outputs)

    def forward(self, inputs, blend=None):
        entered = self.enter(inputs, blend)
        return self.leave(entered - entered.mean(0))


@dataclass(kw_only=True)
class Leaking(Network):
    """Silence a tenth of the inputs by torch's own dropout (Nobody 2001). Helps: nothing. Hurts: resuming."""

    def build(self, signature):
        model = _Crowd(signature)
        model.forward = lambda inputs, blend=None: model.leave(nn.functional.dropout(model.enter(inputs, blend), 0.1))
        return model


@dataclass(kw_only=True)
class Standing(Optimizer):
    """Leave all weights where they are (Nobody 2001). Helps: nothing. Hurts: everything."""

    def build(self, groups, model):
        return _Standing(groups, lr=0.0)


class _Standing(torch.optim.SGD):
    def step(self, closure=None):
        return closure()
