"""Batches computed in pieces give the weights of whole ones; memory that runs out is answered once and for all."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from small import same
from torch import nn

from aurify.core.folder import RunFolder
from aurify.core.parts import knob
from aurify.networks.mlp import Mlp
from aurify.training.checkpoint import Keeper

SGD = {"name": "sgd", "learning_rate": 0.01}
MIXED = {
    "bare": ("regress", {}),
    "mixup": ("classify", {"mixup": {"alpha": 0.5}}),
    "weights": ("classify", {"balance_classes": {}, "mixup": {"alpha": 0.5}}),
    "dropout": ("regress", {"dropout": {"rate": 0.4}, "mixup": {"alpha": 0.5}}),
    "loss": ("classify", {"focal": {}, "label_smoothing": {}, "l1": {"strength": 1e-3}, "balance_classes": {}}),
    "update": ("classify", {"sam": {"radius": 0.1}, "dropout": {"rate": 0.4}, "gradient_clipping": {"limit": 0.5}}),
}


@pytest.mark.parametrize("size", [1, 5, 16, 31])
@pytest.mark.parametrize("name", MIXED)
def test_pieces_give_the_weights_of_whole_batches(lab, folder, name, size):
    kind, techniques = MIXED[name]
    recipe = lab.recipe(kind, techniques, optimizer=SGD)
    folder.choose("micro_batches", [[0, size]])
    pieced = lab.fit(recipe, folder)
    for path, weight in lab.fitted(recipe).weights().items():
        torch.testing.assert_close(pieced.weights()[path], weight, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory")]
)
def test_running_out_of_memory_halves_the_pieces_until_they_fit(lab, folder, error):
    Hungry.plan(folder, limit=8, error=error)
    fitted = lab.fit(
        lab.using(lab.recipe("classify", optimizer=SGD), "network", Hungry, {"width": 16, "depth": 2}), folder
    )
    assert json.loads(folder.choices.read_text()) == {"micro_batches": [[0, 16], [0, 8]]}
    assert any("memory ran out at step 0" in note for note in fitted.notes)
    assert_weights_of_plain_network(lab, fitted)


def test_choice_is_on_disk_before_it_takes_effect(lab, folder):
    Hungry.plan(folder, limit=8)
    lab.fit(lab.using(lab.recipe("classify", optimizer=SGD), "network", Hungry, {"width": 16, "depth": 2}), folder)
    assert Hungry.seen[:3] == [(32, []), (16, [[0, 16]]), (8, [[0, 16], [0, 8]])]


@pytest.mark.parametrize("stop", [1, 3, 4, 9])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_resumed_run_replays_the_pieces_bit_for_bit(lab, tmp_path, norm, stop):
    """Memory runs out in the fourth step; what was stopped before or after goes on alike."""
    settings = {"width": 16, "depth": 2, "norm": norm}
    recipe = lab.using(lab.recipe("classify", {"dropout": {"rate": 0.2}}), "network", Hungry, settings)
    folders = [RunFolder(tmp_path / name) for name in ("whole", "sittings")]
    for folder in folders:
        folder.path.mkdir()
    Hungry.plan(folders[0], limit=8, since=3)
    whole = lab.fit(recipe, folders[0])
    assert folders[0].choices_made() == {"micro_batches": [[3, 16], [3, 8]]}
    Hungry.plan(folders[1], limit=8, since=3)
    with pytest.raises(Exception, match="SIGTERM"):
        lab.fit(recipe, folders[1], stop_at=stop)
    Hungry.plan(folders[1], limit=8, since=3 - stop)
    assert same(lab.fit(recipe, folders[1]).trace(), whole.trace())
    # a run killed after the choice and before any checkpoint begins anew, with the choice made
    Hungry.plan(folders[1], limit=8, since=3)
    for path in folders[1].checkpoints.glob("*"):
        path.unlink()
    assert same(lab.fit(recipe, folders[1]).trace(), whole.trace())


@pytest.mark.parametrize("call", range(2, 9))
def test_memory_that_runs_out_in_any_pass_harms_no_weight(lab, folder, call):
    """Sharpness-aware steps compute two gradients, the second from moved weights: they must come back."""
    recipe = lab.recipe("classify", {"sam": {"radius": 0.3}}, optimizer=SGD)
    Hungry.plan(folder, fail_at=call)
    fitted = lab.fit(lab.using(recipe, "network", Hungry, {"width": 16, "depth": 2}), folder)
    assert len(folder.choices_made()["micro_batches"]) == 1
    assert_weights_of_plain_network(lab, fitted, {"sam": {"radius": 0.3}})


def test_one_row_that_does_not_fit_is_an_error(lab, folder):
    Hungry.plan(folder, limit=0)
    with pytest.raises(torch.OutOfMemoryError):
        lab.fit(lab.using(lab.recipe("classify"), "network", Hungry, {}), folder)


def test_other_errors_are_not_taken_for_memory(lab, folder):
    Hungry.plan(folder, limit=8, error=RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        lab.fit(lab.using(lab.recipe("classify"), "network", Hungry, {}), folder)
    assert not folder.choices.exists()


def test_keeper_takes_the_smallest_piece_chosen_so_far():
    keeper = Keeper(None)
    keeper.choose_micro_batch(5, 16)
    keeper.choose_micro_batch(9, 8)
    assert [keeper.micro_batch(step, 32) for step in (4, 5, 8, 9, 20)] == [32, 16, 16, 8, 8]
    assert keeper.micro_batch(20, 3) == 3


def assert_weights_of_plain_network(lab, fitted, techniques=None):
    plain = lab.fitted(lab.recipe("classify", techniques, optimizer=SGD)).weights()
    for path, weight in plain.items():
        torch.testing.assert_close(fitted.weights()[path], weight, rtol=1e-6, atol=1e-6)


@dataclass(kw_only=True)
class Hungry(Mlp):
    """A multilayer network for which large batches do not fit, in training, at its very end.

    Helps: tests. Hurts: memory (Nobody 2000).
    """

    width: int = knob(16, "units", low=1, high=64)
    limit: ClassVar[int | None] = None
    fail_at: ClassVar[int | None] = None
    since: ClassVar[int] = 0
    error: ClassVar[BaseException] = MemoryError()
    folder: ClassVar[Any] = None
    seen: ClassVar[list[Any]] = []
    counts: ClassVar[dict[str, int]] = {}

    @classmethod
    def plan(cls, folder, *, limit=None, fail_at=None, since=0, error=None):
        """Fail for more than ``limit`` rows after ``since`` whole batches, or once in the pass number ``fail_at``."""
        cls.folder, cls.limit, cls.fail_at, cls.since = folder, limit, fail_at, since
        cls.error = error or torch.OutOfMemoryError("CUDA out of memory")
        cls.seen, cls.counts = [], {"passes": 0, "rows": 0}

    def build(self, signature) -> nn.Module:
        network = super().build(signature)
        network.register_forward_hook(self.after)
        return network

    @classmethod
    def after(cls, module, arguments, output):
        if not module.training:
            return
        count, counts = len(output), cls.counts
        cls.seen.append((count, cls.folder.choices_made().get("micro_batches", [])))
        counts["passes"] += 1
        if cls.fail_at == counts["passes"]:
            raise cls.error
        if cls.limit is not None and count > cls.limit and counts["passes"] > cls.since:
            raise cls.error
