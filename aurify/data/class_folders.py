"""Texts as files, a folder for each class: ``reviews/pos/1.txt``; perhaps ``reviews/train/pos``, also in a zip."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.data.encodings import decoded
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

UNLABELLED = ("unsup", "unlabeled", "unlabelled", "unlabel")
DEEPEST = 4
LARGEST_BYTES = 2**26
EXPANSION = 200


@dataclass(frozen=True)
class TextFile:
    """One file below the source: where it is, in words and to ``read``."""

    place: PurePosixPath
    read: Callable[[], bytes]
    path: str = ""


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
        columns: dict[str, list[Any]] = {FILE: ["/".join(f.place.parts[self.above :]) for f in chosen]}
        encodings = Counter[str]()
        if self.images:
            columns[IMAGE] = [f.path or f.read() for f in chosen]
        else:
            columns[TEXT], encodings = decoded(
                [f.read() for f in chosen], [f"{self.name}/{f.place}" for f in chosen], encoding
            )
        if len(chosen[0].place.parts) > self.above + 1:
            columns[LABEL] = [f.place.parts[self.above] for f in chosen]
        packed = {IMAGE: pl.Binary} if self.images and not chosen[0].path else {}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String) | packed)
        return Drawn(frame, drawn.count, drawn.rows), _said(self.name, frame, encodings)


def class_folders(path: Path, *, known: bool) -> ClassFolders | None:
    """The texts below a folder, or in a zip; None where it does not look like one of classes.

    Of a source that is ``known`` to be of texts, one folder of files without a class is taken too. Raises AurifyError
    where there are classes and something is wrong with them.
    """
    files, others = _found(path)
    if not files or any(len(f.place.parts) == 1 for f in files):
        flat = [f for f in files if len(f.place.parts) == 1]
        images = _are_images(flat)
        return ClassFolders(str(path), tuple(flat), (), 0, (), images) if (known or images) and flat else None
    files, others = _without_shell(files, others)
    by_part: dict[str, list[TextFile]] = {}
    for file in files:
        by_part.setdefault(_part(file.place.parts[0]) if len(file.place.parts) > 2 else "", []).append(file)
    if LEARNT in by_part:
        return _parted(str(path), by_part, others)
    if not known and len({f.place.parts[0] for f in files}) == 1:
        (only,) = {f.place.parts[0] for f in files}
        raise AurifyError(
            f"{path} has texts in one folder only, {only!r}: a class is a folder of its own, and there must be two"
        )
    return ClassFolders(str(path), tuple(files), (), 0, tuple(_of_others(str(path), others)), _are_images(files))


def _are_images(files: Sequence[TextFile]) -> bool:
    return bool(files) and files[0].place.suffix.lower() in IMAGE_SUFFIXES


def _part(name: str) -> str:
    """Which part a folder of this name holds; "" for one of a class."""
    return PARTS.get(re.split(r"[-_. ]", name.lower())[-1], "")


def _without_shell(files: list[TextFile], others: Counter[str]) -> tuple[list[TextFile], Counter[str]]:
    """Without a single folder around everything, as archives have it."""
    while len({f.place.parts[0] for f in files}) == 1 and all(len(f.place.parts) > 2 for f in files):
        if _part(files[0].place.parts[0]) == LEARNT:
            break
        files = [replace(f, place=PurePosixPath(*f.place.parts[1:])) for f in files]
    return files, others


def _parted(name: str, by_part: dict[str, list[TextFile]], others: Counter[str]) -> ClassFolders:
    """Folders of parts, each with a folder a class."""
    notes = [*_of_others(name, others)]
    train = [*by_part[LEARNT], *by_part.get(HELD, [])]
    unlabelled = [f for f in train if f.place.parts[1].lower() in UNLABELLED]
    train = [f for f in train if f.place.parts[1].lower() not in UNLABELLED]
    test = by_part.get(TESTED, [])
    if len({f.place.parts[1] for f in train}) < 2:
        raise AurifyError(f"{name} has fewer than two folders of texts in its training part: each class has its own")
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
            train=len(train),
            first=by_part[LEARNT][0].place.parts[0],
            test=len(test),
            second=test[0].place.parts[0],
        )
        notes.append(text)
    beside = sum(len(files) for part, files in by_part.items() if not part)
    if beside:
        notes.append(said("{name}: {files:,} files beside its parts are left out", name=name, files=beside))
    return ClassFolders(name, tuple(train), tuple(test), 1, tuple(notes), _are_images(train))


def _of_others(name: str, others: Counter[str]) -> Iterator[Said]:
    """What is not read, and why."""
    hidden = others.pop("hidden", 0)
    if hidden:
        yield said("{name}: {files:,} hidden files are left out", name=name, files=hidden)
    if others:
        kinds = ", ".join(f"{suffix} ({count:,})" for suffix, count in others.most_common(5))
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
    every = sorted(_zipped(path) if path.is_file() else _walked(path), key=lambda file: _order(file.place))
    shown = [f for f in every if not any(part.startswith((".", "__MACOSX")) for part in f.place.parts)]
    others = Counter({"hidden": len(every) - len(shown)} if len(shown) < len(every) else {})
    images, texts = ([f for f in shown if f.place.suffix.lower() in each] for each in (IMAGE_SUFFIXES, SUFFIXES))
    if len(images) > len(texts):
        texts = images
    if not texts:  # numbers are names too, as in 20 Newsgroups
        texts = [f for f in shown if not f.place.suffix or f.place.suffix[1:].isdecimal()]
    if any(len(f.place.parts) > 1 for f in texts):  # a readme beside the folders is no text of a class
        others.update(f.place.name for f in texts if len(f.place.parts) == 1)
        texts = [f for f in texts if len(f.place.parts) > 1]
    chosen = {id(f) for f in texts}
    others.update(f.place.suffix.lower() or f.place.name for f in shown if id(f) not in chosen and f.place.suffix)
    return texts, others


def _order(place: PurePosixPath) -> tuple[tuple[tuple[int, str], ...], ...]:
    """Names in the order in which people count: 2.txt before 10.txt."""
    return tuple(
        tuple((int(p), "") if p.isdecimal() and len(p) < 19 else (-1, p) for p in re.split(r"([0-9]+)", part))
        for part in place.parts
    )


def _walked(root: Path) -> Iterator[TextFile]:
    """Every file below a folder, to a depth that no honest source exceeds."""

    def below(folder: str, parts: tuple[str, ...]) -> Iterator[TextFile]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    here = (*parts, entry.name)
                    if entry.is_dir():
                        if len(here) < DEEPEST and not entry.name.startswith("."):
                            yield from below(entry.path, here)
                    else:
                        yield TextFile(PurePosixPath(*here), lambda path=entry.path: _bytes_of(path), entry.path)
        except OSError as error:
            raise AurifyError(f"{folder} cannot be read: {error.strerror or error}") from None

    return below(str(root), ())


def _bytes_of(path: str) -> bytes:
    """A file's bytes; raises AurifyError for what is no file, too large or out of reach."""
    try:
        about = os.stat(path)  # noqa: PTH116 (thousands of files: a Path for each takes longer than to read it)
        if not stat.S_ISREG(about.st_mode):
            raise AurifyError(f"{path} is a pipe or a device, not a text; take it out of the folder")
        if about.st_size > LARGEST_BYTES:
            raise AurifyError(f"{path} has {about.st_size:,} bytes; one text has at most {LARGEST_BYTES:,}")
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise AurifyError(f"{path} cannot be read: {error.strerror or error}") from None


def _zipped(path: Path) -> Iterator[TextFile]:
    """Every file in a zip archive; unpacked it may not grow without measure."""
    try:
        archive = zipfile.ZipFile(path)
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AurifyError(f"{path} is damaged: {error}; fetch it again") from None
    for entry in entries:
        place = PurePosixPath(entry.filename)
        parts = [part for part in place.parts if part not in ("/", "..")]
        if len(parts) <= DEEPEST:
            yield TextFile(PurePosixPath(*parts), lambda entry=entry: _unpacked(archive, entry, path))


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    most = min(LARGEST_BYTES, max(2**16, EXPANSION * entry.compress_size))
    name = f"{path} ({entry.filename})"
    if entry.flag_bits & 1:
        raise AurifyError(f"{path} is encrypted; unpack it with its password and give what is inside")
    try:
        with archive.open(entry) as file:
            raw = file.read(most + 1)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise AurifyError(f"{name} is damaged: {error}; fetch it again") from None
    except Exception as error:  # zlib and lzma have errors of their own
        raise AurifyError(f"{name} is damaged: {error}; fetch it again") from None
    if len(raw) > most:
        raise AurifyError(f"{name} unpacks to more than {most:,} bytes, which no honest text does; take it out")
    return raw
