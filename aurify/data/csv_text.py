"""The form of a text table, found from its beginning: encoding, separator, quotes, header; records cut out of bytes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from aurify.core.errors import AurifyError, listing
from aurify.core.words import said

SEPARATORS = (",", ";", "\t", "|")
SPOKEN = {"\t": said("tabs"), ";": said("semicolons"), "|": said("bars")}
SAMPLE_BYTES, SAMPLE_RECORDS = 2**20, 500
NAME_LIMIT = 10_000
NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*(\d[\d.,' ]*|\.\d+)([eE][-+]?\d+)?\s*[%$€£¥)]*")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d.*)?")


class OpenQuoteError(Exception):
    """A quote opens a cell and is not closed at its end; ``at`` is where its record begins."""

    def __init__(self, at: int):
        super().__init__(at)
        self.at = at


@dataclass(frozen=True)
class Form:
    """How bytes (UTF-8 by now) are records of cells; the first row is ``begin`` bytes into the text."""

    encoding: str
    separator: bytes
    quoting: bool
    blanks: bool = False
    names: tuple[str, ...] = ()
    header: bool = True
    begin: int = 0

    @property
    def width(self) -> int:
        return len(self.names)

    @cached_property
    def _cell(self) -> re.Pattern[bytes]:
        separator, lead = re.escape(self.separator), rb"\x20*" if self.blanks else b""
        quoted = rb'"[^"]*+(?:""[^"]*+)*+"(?=' + separator + rb"|\r?\n|\r?\Z)"
        return re.compile(lead + rb"(" + quoted + rb'|(?!")[^' + separator + rb"\n]*)")

    def records(self, data: bytes, *, final: bool) -> Iterator[tuple[int, list[bytes]]]:
        """Where each record ends and its raw cells; an unfinished last record is left out unless ``final``.

        Raises OpenQuoteError.
        """
        at = 0
        while at < len(data):
            end = data.find(b"\n", at)
            if end < 0 and not final:
                return
            line = data[at : len(data) if end < 0 else end].removesuffix(b"\r")
            if not self.quoting or b'"' not in line:
                at = len(data) if end < 0 else end + 1
                cells = line.split(self.separator)
                yield at, [c.lstrip(b" ") for c in cells] if self.blanks else cells
                continue
            cells, end = self._quoted(data, at)
            if end < 0 or (end == len(data) and not final):
                if final:
                    raise OpenQuoteError(at)
                return
            at = min(len(data), end + 1)
            yield at, cells

    def _quoted(self, data: bytes, at: int) -> tuple[list[bytes], int]:
        """The cells of the record at ``at`` and where its line ends; -1 when a quote stays open to the end of data."""
        cells, end = [], at
        while True:
            found = self._cell.match(data, end)
            if found is None:
                if re.compile(rb'\x20*"[^"]*+(?:""[^"]*+)*+(?:"\r?)?\Z').match(data, end):
                    return cells, -1
                raise OpenQuoteError(at)
            cells.append(found[1])
            end = found.end()
            if data[end : end + 1] != self.separator:
                break
            end += 1
        if not cells[-1].startswith(b'"'):
            cells[-1] = cells[-1].removesuffix(b"\r")
        return cells, data.find(b"\n", end) if data[end : end + 1] else len(data)


def text_of(cell: bytes) -> str:
    """A raw cell without its quotes."""
    if len(cell) > 1 and cell.startswith(b'"') and cell.endswith(b'"'):
        cell = cell[1:-1].replace(b'""', b'"')
    return cell.decode(errors="replace").strip()


def separator_of(wanted: str) -> bytes:
    """A separator as the user writes it: one character, or the word tab."""
    character = "\t" if wanted in ("tab", "\\t") else wanted
    if len(character) != 1 or not character.isascii() or character in '"\n\r\0':
        raise AurifyError(f"separator {wanted!r} is not allowed: one character such as ; or | or the word tab")
    return character.encode()


def form_of(
    sample: bytes,
    name: str,
    encoding: str,
    *,
    final: bool,
    separator: str | None,
    header: str,
    known: tuple[str, ...] | None,
) -> Form:
    """Find the form of a table from its beginning.

    ``known`` are the names that new rows of a known table have: they tell a header, and name the columns where there
    is none. Raises AurifyError for what is no table.
    """
    best = _parted(sample, encoding, final, separator)
    try:
        records = list(_sampled(best, sample, final))
    except OpenQuoteError as error:
        raise AurifyError(open_quote(name, 1 + sample.count(b"\n", 0, error.at))) from None
    if not records:
        blank = not sample.strip()
        what = "holds only blank lines" if blank else "cannot be read as CSV: its header is longer than 1 MB"
        raise AurifyError(f"{name} {what}")
    best = replace(best, blanks=_leads_with_blanks(best, records))
    if best.blanks:
        records = list(_sampled(best, sample, final))
    return _named(best, [(end, [text_of(c) for c in cells]) for end, cells in records], name, header, known)


def _parted(sample: bytes, encoding: str, final: bool, separator: str | None) -> Form:
    """The form whose separator gives most records the same number of cells, and more than one."""
    wanted = SEPARATORS if separator is None else (separator_of(separator).decode(),)
    best, score = None, (-1.0, 0, 0)
    for each in wanted:
        for quoting in (True, False) if each == "\t" and b'"' in sample else (True,):  # elsewhere quotes are quotes
            form = Form(encoding, each.encode(), quoting)
            widths = _widths(form, sample, final)
            if widths is None and each == "\t":
                continue
            widths = widths or _widths(replace(form, quoting=False), sample, final) or Counter()
            width, count = max(widths.items(), key=lambda w: (w[1], w[0]), default=(1, 0))
            now = (count / max(1, widths.total()) if width > 1 else 0.0, width, count)
            if now > score:
                best, score = form, now
    if best is None:
        best = Form(encoding, wanted[0].encode(), True)
    elif score[0] == 0 and separator is None:  # one column: what does not occur cannot part it
        best = replace(best, separator=next((s.encode() for s in SEPARATORS if s.encode() not in sample), b","))
    return best


def _widths(form: Form, sample: bytes, final: bool) -> Counter[int] | None:
    """How many records have how many cells; None where a quote is not closed."""
    try:
        return Counter(len(cells) for _, cells in _sampled(form, sample, final))
    except OpenQuoteError:
        return None


def open_quote(name: str, line: int) -> str:
    return (
        f"{name} cannot be read as CSV: in line {line:,} a quote opens a cell and is not closed at its end;"
        ' close it, or write "" for a quote that is meant'
    )


def _sampled(form: Form, sample: bytes, final: bool) -> Iterator[tuple[int, list[bytes]]]:
    """The first records that are not blank."""
    count = 0
    for end, cells in form.records(sample, final=final):
        if len(cells) > 1 or cells[0].strip():
            yield end, cells
            count += 1
        if count == SAMPLE_RECORDS:
            return


def _leads_with_blanks(form: Form, records: list[tuple[int, list[bytes]]]) -> bool:
    """Whether a blank follows every separator, as a matter of style."""
    later = [c for _, cells in records for c in cells[1:]]
    return form.separator != b"\t" and bool(later) and all(c.startswith(b" ") for c in later)


def _named(
    form: Form, records: list[tuple[int, list[str]]], name: str, header: str, known: tuple[str, ...] | None
) -> Form:
    """The form with the names of its columns and the place of its first row."""
    first, rows = records[0][1], [cells for _, cells in records[1:]]
    usual = Counter(map(len, rows)).most_common(1)[0][0] if rows else len(first)
    bare = known is not None and set(known) == set(numbered(len(known)))
    if bare:
        has = set(first) <= set(known or ())
    else:
        has = header == "yes" or (header == "auto" and (known is not None or has_header(first, rows)))
    if not has:
        width = Counter(map(len, [first, *rows])).most_common(1)[0][0]
        return replace(form, names=_numbers_for(known if bare else None, width, name), header=False)
    if usual == len(first) + 1:  # names of rows without a name of their own, or a separator at the end of each line
        first = [*first, ""] if all(cells[-1] == "" for cells in rows if len(cells) == usual) else ["", *first]
    if len(max(first, key=len)) > NAME_LIMIT:
        raise AurifyError(f"{name} cannot be read as CSV: a name in its header has more than {NAME_LIMIT:,} characters")
    names = tuple(cell or f"column_{at}" for at, cell in enumerate(first, 1))
    twice = [n for n in dict.fromkeys(names) if names.count(n) > 1]
    if twice:
        raise AurifyError(f"{name} has two columns named {twice[0]!r}; rename one in its first line")
    return replace(form, names=names, begin=records[0][0])


def _numbers_for(known: tuple[str, ...] | None, width: int, name: str) -> tuple[str, ...]:
    """Names by position; new rows of a known table may lack its target, which is the last of ``known``."""
    if known is None or width == len(known):
        return numbered(width)
    if width == len(known) - 1:
        return tuple(n for n in numbered(len(known)) if n != known[-1])
    raise AurifyError(f"{name} has {width} cells in a line and no header; the table known has {len(known)} columns")


def numbered(width: int) -> tuple[str, ...]:
    return tuple(f"column_{at}" for at in range(1, width + 1))


def has_header(first: list[str], rows: list[list[str]]) -> bool:
    """Whether the first line names the columns: it does unless it looks like one more row.

    A number above numbers, and a text that recurs below, speak for a row; a text above numbers, and one that does not
    recur where others do, for a header. Numbers that count up (years, positions) are names as well.
    """
    figures = [cell for cell in first if cell.isdecimal()]
    if len(figures) > 1 and all(int(b) - int(a) == 1 for a, b in pairwise(figures)):
        return True
    votes = 0
    for at, cell in enumerate(first):
        below = [cells[at] for cells in rows if len(cells) == len(first) and cells[at]]
        if not below:
            continue
        if sum(map(_is_figure, below)) > 0.8 * len(below):
            votes += -1 if _is_figure(cell) else 1 if cell else 0
        elif cell in below:
            votes -= 1
        elif cell and len(set(below)) < 0.5 * len(below):
            votes += 1
    return votes >= 0


def _is_figure(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or DATE.fullmatch(cell)) or cell.lower() in ("nan", "inf", "-inf")


def noticed(form: Form, name: str) -> list[str]:
    """What was found that is not the plain case, in words."""
    notes = []
    if form.encoding != "utf-8":
        notes.append(said("{name} is read as {encoding}; another with --encoding", name=name, encoding=form.encoding))
    separator = form.separator.decode()
    if separator != "," and form.width > 1:
        marks = SPOKEN.get(separator, repr(separator))
        notes.append(said("{name}: cells are parted by {marks}; others with --separator", name=name, marks=marks))
    if not form.quoting:
        notes.append(said("{name}: quotes are taken as plain characters", name=name))
    if not form.header:
        notes.append(
            said(
                "{name} has no header: its columns are column_1 to column_{last}; if it has: --header yes",
                name=name,
                last=form.width,
            )
        )
    unnamed = [n for n in form.names if form.header and re.fullmatch(r"column_\d+", n)]
    if unnamed:
        notes.append(said("{name}: columns without a name are called {names}", name=name, names=listing(unnamed)))
    return notes
