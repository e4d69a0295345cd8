"""Which kind of examples a task learns from: the one place that tells rows of data from worlds."""

from __future__ import annotations

from aurify.core.parts import Task
from aurify.workbench.rows import Rows
from aurify.workbench.subject import Subject
from aurify.workbench.worlds import Worlds

SUBJECTS: dict[str, Subject] = {"rows": Rows(), "episodes": Worlds()}


def subject_of(task: Task | type[Task]) -> Subject:
    """What the verbs do with the examples of a task."""
    return SUBJECTS[task.examples]
