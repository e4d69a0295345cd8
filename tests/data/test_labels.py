"""Labels of another file are matched when only their spelling differs."""

import polars as pl
import pytest

from aurify.data.labels import match_labels


def test_case_blanks_and_a_trailing_dot_do_not_count():
    labels = pl.Series([" <=50K.", ">50K.", ">50k", None, "?", ">50K"])
    matched, how = match_labels(labels, ("<=50K", ">50K"))
    assert matched.to_list() == ["<=50K", ">50K", ">50K", None, None, ">50K"]
    assert how == "taken '<=50K.' as '<=50K', '>50K.' as '>50K', '>50k' as '>50K'"


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        (["a", "B"], ("a", "B")),  # known as they stand
        (["maybe", "yes"], ("no", "yes")),  # what is unknown stays unknown
        (["YES", "yes"], ("Yes", "yes")),  # it might be either
    ],
)
def test_what_is_known_unknown_or_ambiguous_stays(labels, known):
    matched, how = match_labels(pl.Series(labels), known)
    assert matched.to_list() == labels
    assert how == ""
