"""Techniques that put words of the same meaning in place of others, or beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from aurify.blocks import token_edits
from aurify.core.errors import AurifyError
from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.data import synonyms
from aurify.data.edited import edited
from aurify.data.token_kinds import TokenKinds, bare

Choose = Callable[[Tensor, torch.Generator], Tensor]
"""From ids (U,) to one of each id's synonyms (U,), ``PAD`` where it has none."""

WORDS = "a file, a line for words that mean the same; wordnet; near: nearest by the network's vectors"


def _file(source: str) -> tuple[str, ...]:
    return () if source in ("", "near", "wordnet") else (source,)


def _chooser(source: str, known: TokenKinds, run: Run, neighbours: int, likeness: float) -> Choose:
    """How ``source`` finds synonyms; files are read once a run. Raises AurifyError for a source of no use."""
    if source == "near":
        vectors, wanted = _vectors(run, known), ~known.special
        wanted[known.unknown] = False

        def choose(ids: Tensor, random: torch.Generator) -> Tensor:
            asked, at = ids.unique(return_inverse=True)
            pool = torch.randperm(len(wanted), generator=random)[: -(-len(wanted) // neighbours)].to(ids.device)
            return synonyms.near(vectors, asked, pool[wanted[pool]], likeness)[at]

        return choose
    table = run.once(("synonyms", source, known), lambda: _table(source, known).to(known.special.device))
    return lambda ids, random: synonyms.picked(table[ids], token_edits.draws(tuple(ids.shape), random, ids.device))


def _table(source: str, known: TokenKinds) -> Tensor:
    if source == "wordnet":
        table = synonyms.table_of(known.words, synonyms.wordnet_groups(map(bare, known.words)), each=False)
    else:
        table = synonyms.table_of(known.words, synonyms.read_groups(Path(source)), each=True)
    if not bool(table.any()):
        raise AurifyError(
            f"synonyms in {source}: none of its words has a synonym among the {len(known.words):,} tokens of this"
            " network; make words of the texts, not characters or pieces, or name another file"
        )
    return table


def _vectors(run: Run, known: TokenKinds) -> Tensor:
    """The vectors (V, D) of the network's tokens as they are now."""
    for module in run.model.modules():
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.num_embeddings == len(known.words):
            return module.weight
    raise AurifyError("synonyms = near: this network has no table of a vector for each token; name a file of synonyms")


@dataclass(kw_only=True)
class SynonymReplacement(Technique):
    """Put words that mean the same in place of some of a text's words (Zhang et al. 2015; Wei & Zou 2019, EDA).

    Only words that are one token can be replaced, by words that are one. What is near by the network's own vectors
    means the same for the task; there is little of it before they are learnt. The file and WordNet (Miller 1995,
    English; needs nltk) are read when training begins, never by the saved model. Helps: little data, where many words
    say the same. Hurts: synonyms that are none in these texts; ``near`` may put a word for its opposite.
    """

    family = "augmentation"
    rate: float = knob(0.1, "chance of each word to be replaced", low=0.02, high=0.5, legal=(0.0, 1.0))
    synonyms: str = knob("near", WORDS, file=True)
    neighbours: int = knob(
        5, "near: mean rank, by nearness, of the word that is drawn", low=1, high=20, log=True, legal=(1, 1000)
    )
    likeness: float = knob(0.5, "near: cosine of the vectors at least", low=0.0, high=0.9, legal=(-1.0, 1.0))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 0.5, "likeness": 0.0}
    order = -7

    @property
    def files(self) -> tuple[str, ...]:
        return _file(self.synonyms)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.synonyms:
            raise AurifyError(f"synonym_replacement.synonyms is empty: name {WORDS}")

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            picked = free & (token_edits.draws(tuple(ids.shape), random, ids.device) < self.rate)
            choose = _chooser(self.synonyms, known, run, self.neighbours, self.likeness)
            new = choose(ids[picked], random)
            return ids.masked_scatter(picked, torch.where(new != 0, new, ids[picked]))

        return edited(batch, run, "synonym_replacement", edit)


@dataclass(kw_only=True)
class RandomInsertion(Technique):
    """Put words at random places of a text: its own again, or synonyms of its own (Wei & Zou 2019, EDA).

    A text never grows wider than its batch: where it has no room, nothing is inserted. Helps: little data, labels that
    many words tell. Hurts: tasks about word order or counts. ``near`` and files as in synonym_replacement.
    """

    family = "augmentation"
    rate: float = knob(0.1, "chance of a new word behind each word", low=0.02, high=0.3, legal=(0.0, 1.0))
    synonyms: str = knob("", f"nothing: the text's own words again; or synonyms of them from {WORDS}", file=True)
    neighbours: int = knob(
        5, "near: mean rank, by nearness, of the word that is drawn", low=1, high=20, log=True, legal=(1, 1000)
    )
    likeness: float = knob(0.5, "near: cosine of the vectors at least", low=0.0, high=0.9, legal=(-1.0, 1.0))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 0.5}
    order = -6

    @property
    def files(self) -> tuple[str, ...]:
        return _file(self.synonyms)

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            wanted = free & (token_edits.draws(tuple(ids.shape), random, ids.device) < self.rate)
            new = token_edits.drawn(ids, free, random)
            if self.synonyms:
                choose = _chooser(self.synonyms, known, run, self.neighbours, self.likeness)
                new = new.masked_scatter(wanted, choose(new[wanted], random))
            return token_edits.inserted(ids, new, wanted, random)

        return edited(batch, run, "random_insertion", edit)
