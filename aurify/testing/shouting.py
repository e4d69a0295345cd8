"""A function that says texts in other words, for trying what is done with such functions."""

from __future__ import annotations


def shouted(texts: list[str]) -> list[str]:
    """Each text in capitals."""
    return [text.upper() for text in texts]
