"""Classes that are no classes: folders that programs leave behind."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from aurify.core.errors import listing
from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

LEFT_BEHIND = re.compile(
    r"[._~$@].*|(new|untitled) folder.*|lost\+found|thumb(nail)?s?|cache|te?mp|trash|backup|__macosx|checkpoints?"
    r"|unsorted|misc|unknown|unlabel+ed|others?",
    re.I,
)
"""Names of folders that hold no class of their own."""


class ClassFolders(Check):
    """Classes that are called as folders are that a program made, or that hold what nobody sorted."""

    needs = frozenset({Trait.IMAGES, Trait.CATEGORICAL})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        odd = [at for at, name in enumerate(seen.classes or ()) if LEFT_BEHIND.fullmatch(name)]
        rows = seen.rows[np.isin(seen.target, odd)]
        if not len(rows):
            return
        names = listing([(seen.classes or ())[at] for at in odd], 5)
        text = said("{names}: is this a class? {rows:,} images have it", names=names, rows=len(rows))
        fix = said("take the folder out where it is none, or give it the name of what it shows")
        columns = [str(seen.schema.target)]
        yield self.found(WARNING, text, fix=fix, columns=columns, rows=rows, weight=len(rows) / len(seen.rows))
