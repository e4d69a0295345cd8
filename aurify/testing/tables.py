"""The tiny tables that every check trains on."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

KINDS = ("classify", "regress")
TEXT = "text"
"""Rows with a column of texts, to classify."""
IMAGE = "image"
"""Rows with a small image beside their columns, to classify."""
LABELS = "multi_label"
"""Rows that hold several of three labels, or none."""
EVERY = (*KINDS, TEXT, IMAGE, LABELS)
POLICY, VALUES = "policy", "values"
"""Worlds to act in, by a policy that is learnt and by learnt values of actions."""
WORLDS = {POLICY: "CartPole-v1", VALUES: "aurify/GridWorld-v0"}
ROWS, COPIES = 240, 24
SIDE = 12


def small_frame(kind: str, seed: int = 0) -> pl.DataFrame:
    """240 rows: numbers, categories (some rare) and dates with gaps, 24 exact copies; target ``y``.

    Of ``text`` a column of sentences, some empty, is beside them, and decides with them; of ``image`` images of 12 x 12
    pixels do; of ``multi_label`` the target lists labels.
    """
    import polars as pl

    random = np.random.default_rng(seed)
    a, b, c = random.normal(size=ROWS), random.exponential(size=ROWS), random.integers(0, 4, ROWS)
    colour = random.choice(["red", "green", "blue", "rare"], ROWS, p=[0.4, 0.3, 0.28, 0.02])
    shape = random.choice(["round", "square"], ROWS)
    signal = a - 0.5 * b + 0.4 * c + (colour == "red") - 0.7 * (shape == "round")
    value = 2 + signal + 0.3 * random.normal(size=ROWS)
    said, mood = _sentences(seed)
    images, bright = _images(seed)
    value = value + {TEXT: mood, IMAGE: bright}.get(kind, 0.0)
    target = value if kind == "regress" else np.select([value < 1.2, value < 2.6], ["low", "mid"], "top")
    if kind == LABELS:
        held = {"high": value > 2, "broad": b > 0.7, "warm": (colour == "red") ^ (random.random(ROWS) < 0.1)}
        target = [";".join(n for n, rows in held.items() if rows[at]) or ";" for at in range(ROWS)]
    frame = pl.DataFrame(
        {
            **({"said": said} if kind == TEXT else {}),
            **({"picture": pl.Series(images, dtype=pl.Array(pl.UInt8, images.shape[1:]))} if kind == IMAGE else {}),
            "a": [None if gone else v for v, gone in zip(a.tolist(), random.random(ROWS) < 0.1, strict=True)],
            "b": b,
            "c": c,
            "colour": [
                None if gone else v for v, gone in zip(colour.tolist(), random.random(ROWS) < 0.08, strict=True)
            ],
            "shape": shape,
            "day": _moments(seed),
            "y": target,
        }
    )
    return pl.concat([frame.head(ROWS - COPIES), frame.head(COPIES)])


WORDS = {
    1.0: ("good", "lovely", "swift", "\u597d", "\u6ee1\u610f"),
    -1.0: ("bad", "broken", "slow", "\u5dee", "\u5931\u671b"),
    0.0: ("the", "a", "room", "was", "and", "it", "we", "then", "\u7684", "\u623f\u95f4", "Z\u00fcrich", "2024"),
}


def _sentences(seed: int) -> tuple[list[str], np.ndarray]:
    """Texts of up to 24 words, in English and Chinese, eight a sentence, and how good they are taken together."""
    random = np.random.default_rng((seed, 2))
    words = [(word, good) for good, known in WORDS.items() for word in known]
    drawn = [random.integers(0, len(words), random.integers(0, 25)) for _ in range(ROWS)]
    texts = [" ".join(words[at][0] + ("." if n % 8 == 7 else "") for n, at in enumerate(each)) for each in drawn]
    texts = [text.removesuffix(".") + ("." if text else "") for text in texts]
    return texts, np.array([sum(words[at][1] for at in each) for each in drawn])


def _images(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a square in it (N, 12, 12, 3) uint8, and how much redder than blue the square is."""
    random = np.random.default_rng((seed, 3))
    images = random.integers(60, 130, (ROWS, SIDE, SIDE, 3), dtype=np.uint8)
    red, places = random.choice([-1.0, 0.0, 1.0], ROWS), random.integers(0, SIDE - 5, (ROWS, 2))
    for image, (top, left), more in zip(images, places.tolist(), red.tolist(), strict=True):
        image[top : top + 5, left : left + 5] = [130 + 100 * more, 120, 130 - 100 * more]
    return images, 1.5 * red


def _moments(seed: int) -> list[datetime.datetime | None]:
    """Minutes of three days, drawn by themselves so that the other columns stay as they are without them."""
    random = np.random.default_rng((seed, 1))
    first = datetime.datetime(2021, 2, 26)
    moments = [first + datetime.timedelta(minutes=at) for at in random.integers(0, 3 * 1440, ROWS).tolist()]
    return [None if gone else at for at, gone in zip(moments, random.random(ROWS) < 0.06, strict=True)]
