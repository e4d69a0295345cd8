"""Folders of tiny pretrained encoders, made on the spot as transformers would save them."""

import json
import os
from pathlib import Path

import torch

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # a process that forks after tokenising warns otherwise

SAID = [
    "the room was good and lovely, then it was slow",
    "a bad and broken room in 2024 and we left swift",
    "\u623f\u95f4\u5f88\u597d \u6ee1\u610f",
    "\u5dee \u5931\u671b \u7684 Z\u00fcrich",
]

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
ROBERTA_LIKE = ("camembert", "modernbert", "mpnet", "roberta", "xlm-roberta")
OWN = {
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48, "max_position_embeddings": 64},
    "electra": {**SMALL, "embedding_size": 16},
    "albert": {**SMALL, "embedding_size": 16},
    "deberta-v2": {**SMALL, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "pooler_hidden_size": 32},
}


def encoder_folder(folder, kind="bert", *, seed=0, sentences=None, headed=False, **settings):
    """Make a folder with config.json, model.safetensors and a tokenizer of an encoder of random weights.

    With ``sentences`` (a pooling) it has the layout of sentence-transformers; ``headed`` saves a masked-language model.
    """
    import transformers

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _byte_level() if kind in ROBERTA_LIKE else _word_pieces()
    tokenizer.save_pretrained(str(folder))
    ids = {"pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer)}
    if kind == "modernbert":
        ids |= {"bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2, "sep_token_id": 2}
    config = transformers.CONFIG_MAPPING[kind](**{**OWN.get(kind, SMALL), **ids, **settings})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        make = transformers.AutoModelForMaskedLM if headed else transformers.AutoModel
        model = make.from_config(config)
        for value in model.parameters():  # biases of zero and norms of one would hide that they were not read
            value.data += 0.05 * torch.randn_like(value)
    model.save_pretrained(str(folder))
    if sentences is not None:
        _as_sentences(folder, sentences)
    return folder


def _word_pieces():
    import transformers
    from tokenizers import BertWordPieceTokenizer

    pieces = BertWordPieceTokenizer(lowercase=True)
    pieces.train_from_iterator(SAID * 3, vocab_size=120, min_frequency=2, show_progress=False)
    return transformers.BertTokenizer(vocab=pieces.get_vocab())


def _byte_level():
    import transformers
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces = ByteLevelBPETokenizer()
    pieces.train_from_iterator(SAID * 3, vocab_size=320, min_frequency=2, show_progress=False, special_tokens=special)
    pieces._tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {"bos": 0, "cls": 0, "pad": 1, "eos": 2, "sep": 2, "unk": 3, "mask": 4}
    words = {f"{name}_token": special[at] for name, at in names.items()}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=pieces._tokenizer, **words)


def _as_sentences(folder, pooling):
    steps = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (kind, path) in enumerate(steps)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    ways = {f"pooling_mode_{way}_token{'s' if way == 'mean' else ''}": way == pooling for way in ("cls", "mean")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32, **ways}))
