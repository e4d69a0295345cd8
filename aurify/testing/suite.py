"""The suite: which promise is tried on what, and the ways to run it, with pytest and without."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, listing
from aurify.core.parts import Part
from aurify.core.types import Layer
from aurify.testing import cases, describing, drawing, exporting, switching, together, training
from aurify.testing.cases import Broken, Case, Cases, Named, require
from aurify.testing.lab import Lab
from aurify.testing.tables import EVERY, WORLDS, small_frame

if TYPE_CHECKING:
    import pytest

Promise = Callable[[Case], None]
Given = type[Part] | str | Path
"""A part's class, or a file or folder of parts."""


def part_is_made_without_settings(case: Case) -> None:
    """A part is made with no setting given: all of them have defaults."""
    error = _error_without_settings(case.part)
    require(error is None, f"{case.part.__name__}() fails ({error}); give every setting a default")


def kind_of_table_is_one_it_fits(case: Case) -> None:
    """A part is tried on every kind of table that it fits, and which ones it does not fit is said."""
    if case.group == "task":
        raise SkipTest("neither tables nor texts are its data: how it reads, parts and poses its problem is unchecked")
    raise SkipTest(f"it is for other tasks than tables to {case.kind}: none of its promises was tried there")


SUITE: tuple[tuple[Cases, tuple[Promise, ...]], ...] = (
    (
        cases.every_part,
        (
            part_is_made_without_settings,
            describing.every_setting_has_a_help_text,
            describing.search_ranges_are_legal,
            describing.no_setting_is_called_as_a_seam_is,
            describing.docstring_says_when_it_helps_and_when_it_hurts_and_names_its_source,
            describing.idea_is_one_line,
            describing.part_and_every_setting_are_described,
            describing.out_of_range_is_refused_saying_what_is_allowed,
            describing.settings_are_keyword_only_and_fixed,
        ),
    ),
    (cases.every_unfit_kind, (kind_of_table_is_one_it_fits,)),
    (cases.every_written_part, (describing.recipe_survives_yaml_exactly,)),
    (
        cases.every_searched_part,
        (
            describing.every_setting_is_searchable,
            describing.search_space_contains_it,
            describing.settings_survive_the_command_line,
        ),
    ),
    (cases.every_technique, (switching.technique_declares_what_off_means, switching.technique_fills_a_seam)),
    (
        cases.every_technique_and_kind,
        (
            switching.neutral_settings_equal_off_in_a_bare_recipe,
            switching.neutral_settings_equal_off_among_the_defaults,
            switching.vivid_settings_change_weights_or_predictions,
            switching.vivid_settings_train_to_finite_weights,
            switching.fitted_layers_come_from_training_rows_alone,
            switching.row_plan_keeps_to_the_training_rows,
            drawing.switching_it_on_shifts_no_other_draw,
            drawing.switching_it_on_leaves_the_first_weights_of_the_body_alone,
        ),
    ),
    (cases.every_stacking_technique, (together.agents_side_by_side_learn_as_each_would_alone,)),
    (cases.every_stacking_part_of_rows, (together.models_side_by_side_end_as_each_would_alone,)),
    (cases.every_model, (exporting.row_is_answered_alike_alone_and_among_others,)),
    (cases.every_network_and_optimizer, (together.network_learns_with_every_optimizer,)),
    (
        cases.every_variant,
        (
            training.same_recipe_gives_same_weights_and_predictions,
            training.run_resumed_after_every_step_equals_the_unbroken_one,
            training.finished_run_fitted_again_stays_as_it_is,
            training.fit_leaves_the_recipe_as_it_was,
            training.part_survives_save_load_and_predict,
            training.bundle_predicts_raw_rows_as_training_saw_them,
        ),
    ),
    (cases.every_technique_among_others, (switching.vivid_settings_train_to_finite_weights,)),
    (
        cases.every_network_among_others,
        (exporting.row_is_answered_alike_alone_and_among_others, training.part_survives_save_load_and_predict),
    ),
    (cases.every_trained_part, (training.run_among_the_defaults_resumes_wherever_it_was_stopped,)),
    (cases.every_graph, (exporting.graph_answers_as_torch_does,)),
    (cases.every_technique_beside_another, (together.pair_of_techniques_trains_and_resumes,)),
)


OF_ROWS: frozenset[Promise] = frozenset(
    {
        switching.fitted_layers_come_from_training_rows_alone,
        switching.row_plan_keeps_to_the_training_rows,
        training.bundle_predicts_raw_rows_as_training_saw_them,
        together.network_learns_with_every_optimizer,
        drawing.switching_it_on_shifts_no_other_draw,
    }
)
"""Promises about rows of a table; worlds have none."""


class CheckSkipped(UserWarning):
    """A promise that could not be tried, and why."""


@dataclass(frozen=True)
class Check:
    """One promise to be tried on one case: call it.

    Raises AssertionError naming part, promise and what to do about it, and ``unittest.SkipTest`` (which pytest shows
    as a skipped test) where the promise cannot be tried.
    """

    promise: Promise
    case: Case

    @property
    def name(self) -> str:
        return f"{self.promise.__name__}-{self.case}"

    def __call__(self) -> None:
        try:
            self.promise(self.case)
        except SkipTest:
            raise
        except Broken as error:
            raise AssertionError(self._said(str(error))) from None
        except Exception as error:
            raise AssertionError(self._said(f"it raises {type(error).__name__}: {error}")) from error

    def _said(self, words: str) -> str:
        promised = inspect.cleandoc(self.promise.__doc__ or "").partition("\n")[0]
        return f"{self.case} breaks {self.promise.__name__}. Promised: {promised} Found: {words}"


def checks(*parts: Given) -> Iterator[tuple[str, Check]]:
    """Yield every check of some parts by name, not run yet.

    ``parts`` are Part classes and paths to files or folders of parts; parts that need one another go together.
    Raises AurifyError for what holds no part.
    """
    catalog, named = _found(parts)
    lab = Lab(catalog, {kind: small_frame(kind) for kind in EVERY})
    return ((check.name, check) for check in checks_of(lab, named))


def checks_of(lab: Lab, parts: Sequence[Named]) -> Iterator[Check]:
    """Every check of some of a lab's parts; one that cannot be made has only the promises about words and settings."""
    made = [(group, part) for group, part in parts if _error_without_settings(part) is None]
    for over, promises in SUITE:
        for case in over(lab, parts if over is cases.every_part else made):
            kept = (promise for promise in promises if case.kind not in WORLDS or promise not in OF_ROWS)
            yield from (Check(promise, case) for promise in kept)


def check_part(*parts: Given) -> list[str]:
    """Try every promise of a part (or of several, or of a file of them); raise AssertionError at the first one broken.

    Returns what could not be tried and why, one line each; a CheckSkipped warning says the same.
    """
    skipped = []
    for name, check in checks(*parts):
        try:
            check()
        except SkipTest as reason:
            skipped.append(f"{name}: {reason}")
            warnings.warn(CheckSkipped(skipped[-1]), stacklevel=2)
    return skipped


def parametrize_with_checks(*parts: Given) -> pytest.MarkDecorator:
    """Decorate a test that takes ``check`` and calls it: pytest runs it once for every check of the parts.

    Relative paths are relative to where pytest was started. Raises AurifyError for what holds no part.
    """
    import pytest

    return pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in checks(*parts)])


def _found(parts: Sequence[Given]) -> tuple[Catalog, list[Named]]:
    """A catalog that knows the parts, and each of them with its group."""
    classes: list[Any] = [part for part in parts if inspect.isclass(part)]
    shipped = {part for named in catalogs.load().parts.values() for part in named.values()}
    catalog = catalogs.load([part for part in parts if isinstance(part, (str, Path))])
    for part in classes:
        if part not in shipped:
            catalog.add(_alone(part))
    every = [(group, part) for group, named in catalog.parts.items() for part in named.values()]
    found = [(group, part) for group, part in every if part not in shipped or part in classes]
    lacking = [part.__name__ for part in classes if part not in {part for _, part in found}]
    if lacking or not found:
        place = listing(lacking or [str(part) for part in parts])
        raise AurifyError(
            f"no part in {place}: a part is a public class made from Technique, Network or Optimizer; give the class"
            " itself, or its file"
        )
    return catalog, found


def _alone(part: type[Part]) -> ModuleType:
    """A module with nothing of the part's own but the part and the layers beside it."""
    alone = ModuleType(part.__module__)
    for name, value in vars(sys.modules[part.__module__]).items():
        if inspect.isclass(value) and issubclass(value, Layer):
            setattr(alone, name, value)
    setattr(alone, part.__name__, part)
    return alone


def _error_without_settings(part: type[Part]) -> Exception | None:
    try:
        part()
    except Exception as error:
        return error
    return None
