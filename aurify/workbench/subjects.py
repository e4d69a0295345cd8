"""Which kind of examples a task learns from: the one place that tells rows of data from worlds."""

from __future__ import annotations

from aurify.core.parts import Task
from aurify.workbench.rows import Rows
from aurify.workbench.subject import Subject

SUBJECTS: dict[str, Subject] = {"rows": Rows()}


def subject_of(task: Task) -> Subject:
    """What the verbs do with the examples of a task."""
    return SUBJECTS[task.examples]
