"""Techniques that put words of the same meaning in place of others, or beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from aurify.blocks import token_edits
from aurify.blocks.token_edits import draws
from aurify.core.errors import AurifyError
from aurify.core.parts import knob
from aurify.core.ragged import PAD, UNKNOWN
from aurify.data import synonyms
from aurify.data.edited import TokenEdit, Tokens
from aurify.data.token_kinds import TokenKinds, bare

WORDS = "a file, a line for words that mean the same; wordnet; near: nearest by the network's vectors"


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


def _vectors(model: nn.Module, count: int) -> Tensor:
    """The vectors (V, D) of a network's ``count`` tokens as they are now."""
    for module in model.modules():
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.num_embeddings == count:
            return module.weight
    raise AurifyError("synonyms = near: this network has no table of a vector for each token; name a file of synonyms")


@dataclass(kw_only=True)
class _OfSynonyms(TokenEdit):
    """What techniques share that need words of the same meaning."""

    synonyms: str
    neighbours: int = knob(
        5, "near: mean rank, by nearness, of the word that is drawn", low=1, high=20, log=True, legal=(1, 1000)
    )
    likeness: float = knob(0.5, "near: cosine of the vectors at least", low=0.0, high=0.9, legal=(-1.0, 1.0))

    def chosen(self, ids: Tensor, tokens: Tokens) -> Tensor:
        """One of the synonyms of each of ``ids`` (U,): (U,), ``PAD`` where it has none.

        Files are read once a run. Raises AurifyError for a source of no use.
        """
        kinds, random = tokens.kinds, tokens.random
        if self.synonyms != "near":
            device = ids.device
            table = tokens.run.once(("synonyms", self.synonyms, kinds), lambda: _table(self.synonyms, kinds).to(device))
            return synonyms.picked(table[ids], draws(tuple(ids.shape), random, device))
        wanted = ~kinds.special
        wanted[UNKNOWN] = False
        asked, at = ids.unique(return_inverse=True)
        pool = torch.randperm(len(wanted), generator=random)[: -(-len(wanted) // self.neighbours)].to(ids.device)
        vectors = _vectors(tokens.run.model, len(wanted))
        return synonyms.near(vectors, asked, pool[wanted[pool]], self.likeness)[at]


@dataclass(kw_only=True)
class SynonymReplacement(_OfSynonyms):
    """Put words that mean the same in place of some of a text's words (Zhang et al. 2015; Wei & Zou 2019, EDA).

    Only words that are one token can be replaced, by words that are one. What is near by the network's own vectors
    means the same for the task; there is little of it before they are learnt. The file and WordNet (Miller 1995,
    English; needs nltk) are read when training begins, never by the saved model. Helps: little data, where many words
    say the same. Hurts: synonyms that are none in these texts; ``near`` may put a word for its opposite.
    """

    rate: float = knob(0.1, "chance of each word to be replaced", low=0.02, high=0.5, legal=(0.0, 1.0))
    synonyms: str = knob("near", WORDS, file=True)
    vivid = {"rate": 0.5, "likeness": 0.0}
    order = -7

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.synonyms:
            raise AurifyError(f"synonym_replacement.synonyms is empty: name {WORDS}")

    def edit(self, tokens: Tokens) -> Tensor:
        picked = tokens.drawn(self.rate)
        own = tokens.ids[picked]
        new = self.chosen(own, tokens)
        return tokens.ids.masked_scatter(picked, torch.where(new != PAD, new, own))


@dataclass(kw_only=True)
class RandomInsertion(_OfSynonyms):
    """Put words at random places of a text: its own again, or synonyms of its own (Wei & Zou 2019, EDA).

    A text never grows wider than its batch: where it has no room, nothing is inserted. Helps: little data, labels that
    many words tell. Hurts: tasks about word order or counts. ``near`` and files as in synonym_replacement.
    """

    rate: float = knob(0.1, "chance of a new word behind each word", low=0.02, high=0.3, legal=(0.0, 1.0))
    synonyms: str = knob("", f"nothing: the text's own words again; or synonyms of them from {WORDS}", file=True)
    vivid = {"rate": 0.5}
    order = -6

    def edit(self, tokens: Tokens) -> Tensor:
        wanted = tokens.drawn(self.rate)
        new = token_edits.drawn(tokens.ids, tokens.free, tokens.random)
        if self.synonyms:
            new = new.masked_scatter(wanted, self.chosen(new[wanted], tokens))
        return token_edits.inserted(tokens.ids, new, wanted, tokens.random)
