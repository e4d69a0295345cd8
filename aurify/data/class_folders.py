"""Texts or images as files, a folder for each class: ``reviews/pos/1.txt``, ``photos/train/cat/1.jpg``; or in a zip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.data.encodings import decoded
from aurify.data.file_trees import DamagedEntryError, TextFile, ordering, walked, zipped
from aurify.data.image_cells import SUFFIXES as IMAGE_SUFFIXES
from aurify.data.row_sample import Drawn, RowSample

if TYPE_CHECKING:
    import polars as pl

FILE, TEXT, IMAGE, LABEL = "file", "text", "image", "label"
"""The columns of such a source."""

SUFFIXES = (".txt", ".text")
LEARNT, TESTED, HELD = "train", "test", "held"
PARTS = {
    **dict.fromkeys(("train", "training"), LEARNT),
    **dict.fromkeys(("test", "testing"), TESTED),
    **dict.fromkeys(("val", "valid", "validation", "dev"), HELD),
}
"""What folders of parts are called; a name may stand before it, as in ``reviews-train``."""

BESIDE = "/"
"""What images beside the folders of classes count as; no name of a file has it."""

UNLABELLED = ("unsup", "unlabeled", "unlabelled", "unlabel")


@dataclass(frozen=True)
class ClassFolders:
    """Where texts of classes are: files to learn from and, perhaps, those of a test part; ``notes`` on all others."""

    name: str
    train: tuple[TextFile, ...]
    test: tuple[TextFile, ...]
    above: int
    notes: tuple[str, ...]
    images: bool = False

    def read(self, files: Sequence[TextFile], sample: RowSample, encoding: str | None) -> tuple[Drawn, list[str]]:
        """The rows of some files (``file``, ``text``, ``label``), as many as are wanted, and what was noticed.

        Raises AurifyError for a file that holds no text.
        """
        import polars as pl

        sample.add(0, pl.DataFrame({"at": range(len(files))}))
        drawn = sample.drawn()
        chosen = [files[at] for at in drawn.frame["at"].to_list()]
        columns: dict[str, list[Any]] = {FILE: ["/".join(f.place[self.above :]) for f in chosen]}
        encodings = Counter[str]()
        if self.images:
            start = "" if Path(self.name).is_absolute() else f"{Path.cwd()}/"
            columns[IMAGE] = [f"{start}{f.path}" if f.path else _packed_image(f) for f in chosen]
        else:
            columns[TEXT], encodings = decoded(
                [f.read() for f in chosen], [f"{self.name}/{'/'.join(f.place)}" for f in chosen], encoding
            )
        if len(chosen[0].place) > self.above + 1:
            columns[LABEL] = [f.place[self.above] for f in chosen]
        packed = {IMAGE: pl.Binary} if self.images and not chosen[0].path else {}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String) | packed)
        return Drawn(frame, drawn.count, drawn.rows), _said(self.name, frame, encodings)


def class_folders(path: Path, *, known: bool) -> ClassFolders | None:
    """The texts below a folder, or in a zip; None where it does not look like one of classes.

    Of a source that is ``known`` to be of texts, one folder of files without a class is taken too. Raises AurifyError
    where there are classes and something is wrong with them.
    """
    files, others = _found(path)
    if not files or any(len(f.place) == 1 for f in files):
        flat = [f for f in files if len(f.place) == 1]
        images = _are_images(flat)
        notes = tuple(_of_others(str(path), others, images=images))
        return ClassFolders(str(path), tuple(flat), (), 0, notes, images) if (known or images) and flat else None
    files, others = _without_shell(files, others)
    by_part: dict[str, list[TextFile]] = {}
    for file in files:
        by_part.setdefault(_part(file.place[0]) if len(file.place) > 2 else "", []).append(file)
    if LEARNT in by_part:
        return _parted(str(path), by_part, others)
    if not known and len({f.place[0] for f in files}) == 1:
        (only,) = {f.place[0] for f in files}
        raise AurifyError(
            f"{path} has {_kind(files)} in one folder only, {only!r}: a class is a folder of its own, and there must be"
            " two"
        )
    return ClassFolders(
        str(path),
        tuple(files),
        (),
        0,
        tuple(_of_others(str(path), others, images=_are_images(files))),
        _are_images(files),
    )


def _are_images(files: Sequence[TextFile]) -> bool:
    return bool(files) and files[0].suffix in IMAGE_SUFFIXES


def _kind(files: Sequence[TextFile]) -> str:
    return "images" if _are_images(files) else "texts"


def _part(name: str) -> str:
    """Which part a folder of this name holds; "" for one of a class."""
    return PARTS.get(re.split(r"[-_. ]", name.lower())[-1], "")


def _without_shell(files: list[TextFile], others: Counter[str]) -> tuple[list[TextFile], Counter[str]]:
    """Without a single folder around everything, as archives have it."""
    while len({f.place[0] for f in files}) == 1 and all(len(f.place) > 2 for f in files):
        if _part(files[0].place[0]) == LEARNT:
            break
        files = [replace(f, place=f.place[1:]) for f in files]
    return files, others


def _parted(name: str, by_part: dict[str, list[TextFile]], others: Counter[str]) -> ClassFolders:
    """Folders of parts, each with a folder a class."""
    notes = [*_of_others(name, others, images=_are_images(by_part[LEARNT]))]
    train = [*by_part[LEARNT], *by_part.get(HELD, [])]
    unlabelled = [f for f in train if f.place[1].lower() in UNLABELLED]
    train = [f for f in train if f.place[1].lower() not in UNLABELLED]
    test = by_part.get(TESTED, [])
    if len({f.place[1] for f in train}) < 2:
        raise AurifyError(
            f"{name} has fewer than two folders of {_kind(train)} in its training part: each class has its own"
        )
    if unlabelled:
        notes.append(said("{name}: {files:,} files without a label are left out", name=name, files=len(unlabelled)))
    if HELD in by_part:
        what = said(
            "{name}: its {files:,} files to validate with are learnt from too; rows are held out anew",
            name=name,
            files=len(by_part[HELD]),
        )
        notes.append(what)
    if test:
        text = said(
            "{name}: {train:,} files of its folder {first!r} are learnt from, {test:,} of {second!r} are the test part",
            name=name,
            train=len(train) - sum(f.place[1].lower() not in UNLABELLED for f in by_part.get(HELD, [])),
            first=by_part[LEARNT][0].place[0],
            test=len(test),
            second=test[0].place[0],
        )
        notes.append(text)
    beside = sum(len(files) for part, files in by_part.items() if not part)
    if beside:
        notes.append(said("{name}: {files:,} files beside its parts are left out", name=name, files=beside))
    return ClassFolders(name, tuple(train), tuple(test), 1, tuple(notes), _are_images(train))


def _of_others(name: str, others: Counter[str], *, images: bool) -> Iterator[Said]:
    """What is not read, and why."""
    hidden = others.pop("hidden", 0)
    if hidden:
        yield said("{name}: {files:,} hidden files are left out", name=name, files=hidden)
    beside = others.pop(BESIDE, 0)
    if beside:
        yield said(
            "{name}: {files:,} images beside its folders have no class and are left out", name=name, files=beside
        )
    if others:
        kinds = ", ".join(f"{suffix} ({count:,})" for suffix, count in others.most_common(5))
        if images:
            yield said("{name}: files that are no images are left out: {kinds}", name=name, kinds=kinds)
            return
        yield said("{name}: files that are no texts are left out: {kinds}", name=name, kinds=kinds)


def _said(name: str, frame: pl.DataFrame, encodings: Counter[str]) -> list[str]:
    notes: list[str] = []
    if LABEL in frame.columns:
        classes = frame[LABEL].n_unique()
        notes.append(
            said(
                "{name}: {files:,} files read as {what} of {classes:,} classes, the names of their folders",
                name=name,
                files=frame.height,
                what=said("images") if IMAGE in frame.columns else said("texts"),
                classes=classes,
            )
        )
    if IMAGE in frame.columns:
        return notes
    odd = [(encoding, count) for encoding, count in encodings.most_common() if encoding != "utf-8"]
    if odd:
        kinds = ", ".join(f"{encoding} ({count:,})" for encoding, count in odd)
        notes.append(said("{name}: files that are not UTF-8 are read as {kinds}", name=name, kinds=kinds))
    empty = int((frame[TEXT].str.strip_chars() == "").sum())
    if empty:
        notes.append(said("{name}: {files:,} files are empty", name=name, files=empty))
    return notes


def _found(path: Path) -> tuple[list[TextFile], Counter[str]]:
    """Every text below ``path``, by name, and how many files of which other kinds there are."""
    every = sorted(zipped(path) if path.is_file() else walked(path), key=ordering())
    shown = [f for f in every if not any(part.startswith((".", "__MACOSX")) for part in f.place)]
    others = Counter({"hidden": len(every) - len(shown)} if len(shown) < len(every) else {})
    suffixes = [f.suffix for f in shown]
    chosen = _of_one_kind(shown, suffixes)
    taken = set(map(id, chosen))
    left = (f for f in shown if id(f) not in taken)
    others.update(f.suffix or f.place[-1] for f in left if f.suffix or len(f.place) == 1)
    if any(len(f.place) > 1 for f in chosen):  # a readme beside the folders is no text of a class
        outside = [f for f in chosen if len(f.place) == 1]
        others.update((BESIDE,) * len(outside) if _are_images(chosen) else (f.place[-1] for f in outside))
        chosen = [f for f in chosen if len(f.place) > 1]
    return chosen, others


def _of_one_kind(files: Sequence[TextFile], suffixes: Sequence[str]) -> list[TextFile]:
    """The images or the texts, whichever are more; without either, files whose names say nothing."""
    images, texts = (
        [f for f, suffix in zip(files, suffixes, strict=True) if suffix in known]
        for known in (IMAGE_SUFFIXES, SUFFIXES)
    )
    if images or texts:
        return images if len(images) >= len(texts) else texts
    # numbers are names too, as in 20 Newsgroups
    return [f for f, suffix in zip(files, suffixes, strict=True) if not suffix or suffix[1:].isdecimal()]


def _packed_image(file: TextFile) -> bytes:
    """An image in an archive; empty where it is damaged there, which is counted with all that cannot be read."""
    try:
        return file.read()
    except DamagedEntryError:
        return b""
