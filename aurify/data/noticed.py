"""What is said of values that the schema of a table does not foresee."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aurify.core.errors import AurifyError, listing
from aurify.core.words import Said, listed, said
from aurify.data.image_form import Form

THE_DATA = said("the data")
"""What rows are called that no file gave a name."""

SHOWN = 3


def of_column(name: str, what: Said) -> Said:
    """Something noticed, with the column it was noticed in."""
    return said("column {column!r}: {what}", column=name, what=what)


def infinite(name: str, count: int) -> Said:
    return of_column(name, said("infinite values taken as missing: {count:,}", count=count))


def no_numbers(name: str, texts: Sequence[str]) -> Said:
    return of_column(name, said("no number in {texts}; taken as missing", texts=listing(texts, SHOWN)))


def no_dates(name: str, format: str, texts: Sequence[str]) -> Said:
    shown = listing(texts, SHOWN)
    return of_column(name, said("no date written as {format} in {texts}; taken as missing", format=format, texts=shown))


def unseen(name: str, texts: Sequence[str]) -> Said:
    return of_column(name, said("{texts} unseen in training; taken as unknown", texts=listing(texts, SHOWN)))


def unknown_columns(table: str, names: Sequence[str]) -> Said:
    return said(
        "{name} has {count} column(s) the model does not know, ignored: {names}",
        name=table,
        count=len(names),
        names=listing(names),
    )


def image_form(form: Form) -> Said:
    """How images are read."""
    how = {
        "crop": said("what is longer is cropped around the middle"),
        "pad": said("what is shorter is padded with black"),
        "stretch": said("what is longer is squeezed"),
    }
    return said(
        "images are read as {width} x {height} pixels {colours}; {how} (--size, --aspect)",
        width=form.width,
        height=form.height,
        colours=said("in gray") if form.channels == 1 else said("in colour"),
        how=how[form.aspect],
    )


def unread_images(
    name: str, unread: Mapping[int, str], names: Callable[[int], str], rows: int, *, asked: bool = False
) -> list[Said]:
    """A line on images that cannot be read, where there are some; ``names`` tells what a row's image is called.

    Those that are ``asked`` about get no answer, others are left out. Raises AurifyError where none can be read.
    """
    if not unread:
        return []
    first = next(iter(unread))
    if len(unread) == rows:
        what = f"the image {names(first)}" if rows == 1 else f"none of {rows:,} images"
        raise AurifyError(
            f"{name}: {what} can{'not' if rows == 1 else ''} be read; {unread[first]}"
            + ("" if rows == 1 else f" ({names(first)})")
        )
    shown = listed([said("{file} ({why})", file=names(at), why=why) for at, why in [*unread.items()][:SHOWN]], ",")
    if len(unread) > SHOWN:
        shown = said("{files}, ...", files=shown)
    if asked:
        return [
            said(
                "{name}: {count:,} of {rows:,} images cannot be read and get no prediction: {files}",
                name=name,
                count=len(unread),
                rows=rows,
                files=shown,
            )
        ]
    return [
        said(
            "{name}: {count:,} of {rows:,} images cannot be read and are left out: {files}",
            name=name,
            count=len(unread),
            rows=rows,
            files=shown,
        )
    ]
