"""Rows as they were read from a source, and how that was to be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from aurify.data.row_sample import EVERY, Drawn, numbered

if TYPE_CHECKING:
    import polars as pl

    from aurify.core.recipe import Source


@dataclass(frozen=True)
class Reading:
    """How a source is to be read where the user knows better than what it looks like.

    Of a source with more than ``most`` rows that many are read, drawn at random: for who only looks at them.
    """

    separator: str | None = None
    encoding: str | None = None
    header: str = "auto"
    missing: tuple[str, ...] = ()
    most: int = EVERY

    @classmethod
    def of(cls, source: Source, most: int = EVERY) -> Self:
        return cls(source.separator, source.encoding, source.header, source.missing, most)


@dataclass(frozen=True)
class Loaded:
    """The rows as they were read, and a line for everything about them that is not the plain case.

    Of texts with a folder or a word before them for their class the columns are known (``texts``): ``text``, ``label``
    and perhaps ``file``; ``test`` are the rows of a test part that lies beside the others.
    """

    drawn: Drawn
    notes: tuple[str, ...] = ()
    texts: bool = False
    test: Drawn | None = None

    @property
    def frame(self) -> pl.DataFrame:
        return self.drawn.frame

    def whole(self) -> Loaded:
        """With the rows of its test part after the others, as rows like them."""
        import polars as pl

        if self.test is None:
            return self
        pieces = [self.drawn, self.test]
        frame = pl.concat([piece.frame for piece in pieces], how="diagonal")
        return replace(self, drawn=Drawn(frame, sum(p.count for p in pieces), numbered(pieces)), test=None)

    def tested(self) -> Loaded:
        """The rows of its test part alone, where it has one: for who measures."""
        return self if self.test is None else replace(self, drawn=self.test, test=None)
