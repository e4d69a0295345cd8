"""THE loop: every task and every technique goes through it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from aurify.core.errors import DivergedError, Interrupted, listing
from aurify.core.recipe import Recipe
from aurify.core.run import Problem, Run
from aurify.core.types import Batch, Held, Layer
from aurify.core.watch import Watch
from aurify.core.words import said
from aurify.training.begin import begin, filling, make_optimizer
from aurify.training.begin import build as build
from aurify.training.checkpoint import Keeper
from aurify.training.find_rate import RANGE_STEPS, find_rate

PROBE_STEPS, PROBE_SHARE = 30, 0.02
LATE_CHECK_STEPS = 50
TIME_FOR_MEASURING = 0.15

Show = Callable[[Run], None]


def fit(
    recipe: Recipe,
    problem: Problem,
    device: torch.device,
    keeper: Keeper,
    watch: Watch,
    show: Show,
    share: float = 1.0,
) -> Run:
    """Train, or go on training from the keeper's last checkpoint; leaves the final weights in ``run.model``.

    ``run.recipe`` holds the learning rate that was trained with, found or given. With a ``share`` below 1 only so much
    of the epochs is trained, of a plan that is for all of them, and a checkpoint is left from which to go on.

    Raises DivergedError when the loss is not finite and Interrupted after a signal, both with everything saved.
    """
    if recipe.budget.find_rate:
        rate = keeper.chosen("learning_rate", lambda: _workable_rate(recipe, problem, device, keeper, watch))
        recipe = replace(recipe, optimizer=replace(recipe.optimizer, learning_rate=rate))
    steps = recipe.budget.steps or recipe.budget.epochs * problem.feed.steps_per_epoch
    if watch.limit_seconds is not None:
        steps = keeper.chosen("steps", lambda: _affordable_steps(recipe, problem, device, watch, steps))
    run = begin(recipe, problem, device, steps)
    optimizer = make_optimizer(run)
    until = whole_epochs(share, run)
    keeper.restore(run, optimizer, watch, until)
    Loop(run, optimizer, keeper, watch, show).train(until)
    if until < steps:
        keeper.save(run, optimizer, watch)
    for technique in run.techniques:
        technique.finish(run)
    run.model.eval()
    return run


def whole_epochs(share: float, run: Run) -> int:
    """Steps of a share of a run: as many epochs as come nearest, one at least; all steps where it is 1."""
    epoch = run.problem.feed.steps_per_epoch
    return run.steps if share >= 1 else min(run.steps, epoch * max(1, round(share * run.steps / epoch)))


def answers(run: Run, answered: Callable[[], Held]) -> list[Layer]:
    """Fit what turns outputs into better outputs (calibration, threshold) on the held-out training rows."""
    fitted = filling(run, "answer")
    if not fitted:
        return []
    held, layers = answered(), []
    for technique in fitted:
        layer = technique.answer(run, held)
        if layer is not None:
            layers.append(layer)
            held = replace(held, output=layer.to(held.output.device)(held.output))
    return layers


class Loop:
    """Forward, backward, update; techniques act through their seams and nowhere else."""

    def __init__(self, run: Run, optimizer: Any, keeper: Keeper, watch: Watch, show: Show):
        self.run, self.optimizer, self.keeper, self.watch, self.show = run, optimizer, keeper, watch, show
        self.problem, run.check = run.problem, watch.check
        self.base_rate = run.recipe.optimizer.learning_rate
        self.validate_every = run.recipe.budget.validate_every or self.problem.feed.steps_per_epoch
        self.members = len(self.problem.seeds)
        self.low_precision = run.recipe.precision == "bfloat16"
        self.on_cpu = run.device.type == "cpu"
        self.buffers = list(run.model.buffers())
        self.unseen_losses: list[tuple[int, Tensor, Tensor]] = []
        self.on_batch, self.schedules = filling(run, "on_batch"), filling(run, "schedule")
        self.weighers, self.penalties = filling(run, "weigh"), filling(run, "penalty")
        self.on_gradients, self.after_update = filling(run, "on_gradients"), filling(run, "after_update")
        self.evaluators, self.on_score = filling(run, "evaluating"), filling(run, "on_score")

    def train(self, until: int | None = None) -> None:
        """Take steps until the run's last one, or ``until``, or until something stops it."""
        run = self.run
        run.model.train()
        last = run.steps if until is None else min(run.steps, until)
        if run.unscored is not None:
            self.validate(run.unscored)
        while run.step < last and run.stopped is None:
            self.stop_if_asked()
            if run.stopped is not None:
                break
            loss = self.advance()
            if run.step % self.validate_every == 0 or run.step == run.steps or run.stopped is not None:
                run.unscored = loss.item() / self.members
                self.validate(run.unscored)
            self.keeper.save_if_due(run, self.optimizer, self.watch)
            self.show(run)
        if run.step == run.steps:
            run.stopped = None  # patience that ran out with the last step spared none
            run.ended = {member: end for member, end in run.ended.items() if end[0] < run.steps}

    def advance(self) -> Tensor:
        """Take one step; returns the loss before it."""
        run, served = self.run, self.problem.feed.mark()
        batch = self.problem.feed.next(run)
        for technique in self.on_batch:
            batch = technique.on_batch(batch, run)
        self.set_rate()
        try:
            loss = self.update(batch)
            self.watch_loss(loss, batch)
        except DivergedError:
            if served is not None:
                self.problem.feed.restore(served)
            if self.on_cpu:  # seen before the update: the weights are still those before this step
                self.keeper.save_if_finite(run, self.optimizer, self.watch)
            raise
        for technique in self.after_update:
            technique.after_update(run)
        run.step += 1
        return loss

    def update(self, batch: Batch) -> Tensor:
        """One optimizer step; when memory runs out for a model alone, again in micro-batches half as large."""
        before = [b.clone() for b in self.buffers]
        while True:
            micro = self.keeper.micro_batch(self.run.step, len(batch))
            try:
                return self.optimizer.step(partial(self.gradient, batch, micro))
            except (RuntimeError, MemoryError) as error:
                if micro == 1 or self.members > 1 or not _out_of_memory(error):
                    raise
            for buffer, old in zip(self.buffers, before, strict=True):
                buffer.copy_(old)  # the failed attempt leaves no trace
            self.keeper.choose_micro_batch(self.run.step, -(-micro // 2))

    def gradient(self, batch: Batch, micro: int) -> Tensor:
        """Mean loss of the batch (a scalar) with its gradient in place; the closure that optimizers call."""
        run, count = self.run, len(batch)
        total = torch.zeros((), device=run.device)
        self.optimizer.zero_grad()
        for start in range(0, count, micro):
            part = batch if micro >= count else batch.part(start, start + micro)
            run.draws.at(run.step, start, count, batch.widths)
            with torch.autocast(run.device.type, torch.bfloat16) if self.low_precision else nullcontext():
                output = run.model(part.inputs, part.blend)
            losses = self.problem.losses(output, part)
            for technique in self.weighers:
                losses = technique.weigh(losses, output, part, run)
            # by the count, not by the weights: rare heavy rows would share their weight with the batch they are in;
            # of models side by side each has a mean of its own
            loss = (losses if part.weight is None else losses * part.weight).sum() / (count / self.members)
            for technique in self.penalties:
                loss = loss + technique.penalty(output, part, run) * (len(part) / count)
            if self.on_cpu and not math.isfinite(loss.item()):
                bad = part.rows[~torch.isfinite(losses.detach())]
                self.diverge(run.step, loss.item(), batch.rows, bad)
            loss.backward()
            total += loss.detach()
        for technique in self.on_gradients:
            technique.on_gradients(run)
        return total

    def set_rate(self) -> None:
        for group in self.optimizer.param_groups:
            rate = self.base_rate * group.get("rate", 1.0)
            for technique in self.schedules:
                rate *= technique.schedule(self.run, group)
            group["lr"] = rate

    def watch_loss(self, loss: Tensor, batch: Batch) -> None:
        """On an accelerator, look at losses in bunches: reading each one would stall it."""
        if self.on_cpu:
            return
        self.unseen_losses.append((self.run.step, loss, batch.rows))
        last = self.run.step + 1 == self.run.steps or (self.run.step + 1) % self.validate_every == 0
        if last or len(self.unseen_losses) >= LATE_CHECK_STEPS or self.keeper.due():
            losses = torch.stack([seen for _, seen, _ in self.unseen_losses]).cpu()
            for (step, _, rows), value in zip(self.unseen_losses, losses.tolist(), strict=True):
                if not math.isfinite(value):
                    self.diverge(step, value, rows, rows[:0])
            self.unseen_losses.clear()

    def diverge(self, step: int, loss: float, rows: Tensor, bad: Tensor) -> None:
        rate = self.optimizer.param_groups[0]["lr"]
        record = {"step": step, "loss": str(loss), "rate": rate, "rows": rows.tolist(), "bad_rows": bad.tolist()}
        where = self.keeper.record_divergence(record)
        culprits = f", {len(bad)} of them at fault: {listing(bad.tolist())}" if 0 < len(bad) < len(rows) else ""
        raise DivergedError(
            f"the loss became {loss} at step {step} (learning rate {rate:.3g}, rows {listing(rows.tolist())}"
            f"{culprits}); {where}lower optimizer.learning_rate or add --with gradient_clipping"
        )

    def spoiled_rows(self) -> list[int]:
        held = self.problem.held(self.run)
        return held.rows[~torch.isfinite(held.output).all(1).cpu()].tolist()

    def diverge_when_held(self, score: float, bad: list[int]) -> None:
        self.keeper.save_if_finite(self.run, self.optimizer, self.watch)
        where = self.keeper.record_divergence({"step": self.run.step, "score": str(score), "bad_rows": bad})
        raise DivergedError(
            f"the held-out {self.problem.score_name} became {score} at step {self.run.step}: the outputs for held-out"
            f" rows {listing(bad)} are not finite; {where}look at these rows, or lower optimizer.learning_rate"
        )

    def validate(self, loss: float | None) -> None:
        """Score the held-out training rows as the model would be used now, and let techniques react.

        A signal may stop it before any of them has: what is saved then begins with the same validation.
        """
        run = self.run
        run.model.eval()
        try:
            with ExitStack() as stack:
                for technique in self.evaluators:
                    context = technique.evaluating(run)
                    if context is not None:
                        stack.enter_context(context)
                scores, seen = self.problem.score(run), self.problem.seen_score(run).mean().item()
                score = scores.mean().item()
                oriented = score if self.problem.greater_is_better else -score
                spoiled = [] if math.isfinite(score) else self.spoiled_rows()
                for technique in self.on_score if math.isfinite(score) else ():
                    technique.on_score(scores if self.problem.greater_is_better else -scores, run)
        except Interrupted:
            self.keeper.save(run, self.optimizer, self.watch)
            raise
        run.model.train()
        run.unscored = None
        if not math.isfinite(score):  # after the contexts: the weights are the run's own again
            self.diverge_when_held(score, spoiled)
        if run.best is None or oriented > run.best:
            run.best = oriented
        run.log.append(
            {
                "step": run.step,
                "epoch": round(run.epoch, 6),
                "loss": loss,
                self.problem.score_name: score,
                f"train_{self.problem.score_name}": seen if math.isfinite(seen) else None,
                **self.problem.told(),
                "rate": self.optimizer.param_groups[0]["lr"],
                "order": self.problem.feed.state().get("served"),
                "seconds": round(self.watch.spent, 3),
            }
        )
        self.keeper.record(run.log[-1])

    def stop_if_asked(self) -> None:
        """Obey signals and the clock, losing nothing."""
        if self.watch.signal_number is not None:
            self.keeper.save(self.run, self.optimizer, self.watch)
            self.watch.check()
        if self.watch.remaining <= _reserve(self.watch):
            self.run.stop(said("time was up at step {step} of {steps}", step=self.run.step, steps=self.run.steps))
            if not self.run.log or self.run.log[-1]["step"] != self.run.step:
                self.validate(None)


def _reserve(watch: Watch) -> float:
    return TIME_FOR_MEASURING * watch.limit_seconds if watch.limit_seconds is not None else 0.0


def _throw_away(recipe: Recipe, problem: Problem, device: torch.device, watch: Watch, steps: int) -> Loop:
    """A run to measure on, which shares nothing with the real one but the feed."""
    run = begin(recipe, problem, device, steps)
    return Loop(run, make_optimizer(run), Keeper(None), watch, lambda run: None)


def _workable_rate(recipe: Recipe, problem: Problem, device: torch.device, keeper: Keeper, watch: Watch) -> float:
    """The learning rate that a range test finds, or the recipe's own where it finds none."""
    served = problem.feed.state()
    own = recipe.optimizer.learning_rate
    rate = find_rate(_throw_away(recipe, problem, device, watch, RANGE_STEPS))
    problem.feed.restore(served)
    found = f"no learning rate stood out: the recipe's own {own:.3g} stays"
    keeper.note(found if rate is None else f"learning rate found: {rate:.3g} (the recipe says {own:.3g})")
    return own if rate is None else rate


def _affordable_steps(recipe: Recipe, problem: Problem, device: torch.device, watch: Watch, most: int) -> int:
    """Probe the speed on a throw-away copy and return how many steps the remaining time allows."""
    served = problem.feed.state()
    loop = _throw_away(recipe, problem, device, watch, most)
    run = loop.run
    validate_every, loop.validate_every = loop.validate_every, most + 1
    loop.train(until=PROBE_STEPS // 10)
    warm, began = run.step, _now(device)
    for until in range(warm + 3, PROBE_STEPS + 1, 3):
        loop.train(until=until)
        if _now(device) - began > PROBE_SHARE * watch.remaining:
            break
    stepped = _now(device)
    loop.validate(None)
    per_step = (stepped - began) / max(1, run.step - warm) + (_now(device) - stepped) / validate_every
    problem.feed.restore(served)
    left = watch.remaining - _reserve(watch)
    return max(1, min(most, int(0.95 * left / max(per_step, 1e-9))))


def _now(device: torch.device) -> float:
    """Seconds, after everything queued on the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        torch.cuda.empty_cache()
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)
