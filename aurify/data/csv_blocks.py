"""Cut the text of a table into blocks of whole records, regular enough for a parser that trusts what it is given."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aurify.core.errors import AurifyError
from aurify.data.archives import Content
from aurify.data.csv_text import Form, OpenQuoteError

BLOCK_BYTES = 2**22
RECORD_LIMIT_BYTES = 2**26
LISTED_LINES = 10


class OtherEncodingError(Exception):
    """The text is not in the encoding that its beginning showed; ``piece`` is where that comes out."""

    def __init__(self, piece: bytes, reason: str):
        super().__init__(reason)
        self.piece = piece


@dataclass
class Ragged:
    """Lines that were left out because they have too many or too few cells."""

    count: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, place: int) -> None:
        """Count the line that begins ``place`` bytes into the text."""
        self.count += 1
        if len(self.places) < LISTED_LINES:
            self.places.append(place)


def text_pieces(content: Content, encoding: str) -> Iterator[bytes]:
    """The text as UTF-8 without its mark, in pieces; line ends are \\n or \\r\\n. Raises OtherEncodingError."""
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    begun, returns = False, False
    with content.open() as stream:
        while True:
            raw = stream.read_lines(BLOCK_BYTES)
            piece = raw
            if decoder is not None:
                try:
                    piece = decoder.decode(raw, final=not raw).encode()
                except UnicodeError as error:
                    raise OtherEncodingError(raw, str(error)) from None
            if b"\0" in piece:
                raise AurifyError(
                    f"{content.name} is not a text file: it holds NUL bytes; if it is UTF-16, say --encoding utf-16-le"
                )
            if not begun:
                piece = piece.removeprefix(codecs.BOM_UTF8)
                returns = b"\r" in piece and b"\n" not in piece  # as old Macs ended their lines
            if piece:
                begun = True
                yield piece.replace(b"\r", b"\n") if returns else piece
            if not raw:
                return


def lines_at(content: Content, encoding: str, places: Sequence[int]) -> list[int]:
    """The numbers of the lines at some places in the text: nobody counts lines before there is something to say."""
    lines, line, begin, left = [], 1, 0, deque(places)
    for piece in text_pieces(content, encoding):
        while left and left[0] <= begin + len(piece):
            lines.append(line + piece.count(b"\n", 0, left.popleft() - begin))
        line, begin = line + piece.count(b"\n"), begin + len(piece)
    return lines


class Blocks:
    """The records of a text, block by block; what is no row of the table is counted and left out.

    With ``exact`` every block is looked at closely; without, one that has no quotes is taken as it is.
    """

    def __init__(self, content: Content, form: Form):
        self._content, self._form = content, form
        self.exact = False
        self.ragged = Ragged()

    def again(self) -> Blocks:
        """The same records once more, for a parser that will see only some of their cells."""
        blocks = Blocks(self._content, self._form)
        blocks.exact = True
        return blocks

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Whole records and their place in the text; ragged ones are taken out, or without quotes may be left in.

        Raises OpenQuoteError naming its place in the text.
        """
        rest, place = b"", self._form.begin
        begin, pieces = self._form.begin, text_pieces(self._content, self._form.encoding)
        while True:
            piece = next(pieces, b"")
            data, rest = rest + piece if rest else piece, b""
            if begin:
                data, begin = data[begin:], 0
            if not data:
                return
            if not piece and not data.endswith(b"\n"):
                data += b"\n"
            end = self.end_of(data)
            block = data[:end] if end < len(data) else data
            if not block.isascii():
                self._require_utf8(block)
            if self._form.blanks and b'"' not in block:
                block = block.replace(self._form.separator + b" ", self._form.separator)
            try:
                if not regular(block, self._form, exact=self.exact):
                    block, end = self.repaired(data, place, final=not piece)
            except OpenQuoteError as error:
                raise OpenQuoteError(place + error.at) from None
            rest = data[end:]
            if len(rest) > RECORD_LIMIT_BYTES:
                raise AurifyError(
                    f"{self._content.name} cannot be read as CSV: the record {place + end:,} bytes into it has more"
                    f" than {RECORD_LIMIT_BYTES:,} bytes; is a quote that opens there ever closed?"
                )
            if block:
                yield place, block
            if not piece:
                return
            place += end

    def _require_utf8(self, block: bytes) -> None:
        try:
            block.decode()
        except UnicodeDecodeError as error:
            raise OtherEncodingError(block, f"{error.reason} in {block[error.start : error.end]!r}") from None

    def end_of(self, data: bytes) -> int:
        """Where the last whole record ends, if quotes are as they should be: after an even number of them."""
        end = data.rfind(b"\n") + 1
        if not self._form.quoting or b'"' not in data:
            return end
        odd = data.count(b'"', 0, end) % 2
        while odd and end:
            quote = data.rfind(b'"', 0, end)
            before = data.rfind(b"\n", 0, quote) + 1
            odd = (odd + data.count(b'"', before, end)) % 2
            end = before
        return end

    def repaired(self, data: bytes, place: int, *, final: bool) -> tuple[bytes, int]:
        """The good records written anew, without blank and ragged ones, and where the last whole record ends."""
        form, good, end = self._form, [], 0
        for after, cells in form.records(data, final=final):
            if len(cells) == form.width and (form.width > 1 or cells[0].strip()):
                good.append(form.separator.join(map(_quoted, cells) if form.quoting else cells))
            elif len(cells) > 1 or cells[0].strip():
                self.ragged.add(place + end)
            end = after
        return b"".join(record + b"\n" for record in good), end


def _quoted(cell: bytes) -> bytes:
    """A cell with a quote in its middle is put into quotes, as every reader takes it for what it is."""
    return b'"' + cell.replace(b'"', b'""') + b'"' if b'"' in cell and not cell.startswith(b'"') else cell


def regular(block: bytes, form: Form, *, exact: bool) -> bool:
    """Whether every record has as many cells as there are columns, and every quote stands where it should.

    Without quotes, and if it need not be ``exact``, the answer is yes: a line of too many cells stops the parser, and
    one of too few leaves its last column empty, so that both are seen afterwards.
    """
    if not block:
        return False
    if form.width == 1 and re.search(rb"(\A|\n)[ \t\r]*\n", block):
        return False
    if not exact and not (form.quoting and b'"' in block):
        return True
    import numpy as np

    text = np.frombuffer(block, np.uint8)
    parts, ends = text == form.separator[0], text == ord("\n")
    if form.quoting and b'"' in block:
        quotes = np.flatnonzero(text == ord('"'))
        if len(quotes) % 2:
            return False
        padded = np.concatenate([[ord("\n")], text, [ord("\n")]])
        before, after = padded[quotes[::2]], padded[quotes[1::2] + 2]
        beside = [form.separator[0], ord("\n"), ord('"')]
        if not (np.isin(before, beside).all() and np.isin(after, [*beside, ord("\r")]).all()):
            return False
        outside = np.cumsum(text == ord('"'), dtype=np.uint8) % 2 == 0
        parts, ends = parts & outside, ends & outside
    at, line_ends = np.flatnonzero(parts), np.flatnonzero(ends)
    if len(at) != len(line_ends) * (form.width - 1):
        return False
    if form.width == 1:
        return True
    at = at.reshape(-1, form.width - 1)
    return bool((at[:, -1] < line_ends).all() and (at[1:, 0] > line_ends[:-1]).all())
