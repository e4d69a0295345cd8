"""What holds of the catalog and the recipe's sections as a whole."""

import os

import pytest

from aurify.catalog import describe
from aurify.core.parts import SEAMS, Technique
from aurify.core.recipe import SECTIONS


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_of_a_section_has_a_help_text(section):
    assert not [name for name, knob in SECTIONS[section].knobs().items() if not knob.help.strip()]


def test_command_line_explains_every_part(catalog, words):
    extra = [p for p in os.environ.get("AURIFY_PARTS", "").split(os.pathsep) if p]
    shown = words("techniques", "--all", *(w for p in extra for w in ("--parts", p))).out
    for group, known in catalog.parts.items():
        for part in known.values():
            assert describe(part, group) in shown


@pytest.mark.parametrize("seam", SEAMS)
def test_every_seam_is_filled_by_a_technique(catalog, seam):
    known = catalog.parts["technique"].values()
    assert [t for t in known if getattr(t, seam) is not getattr(Technique, seam)]
