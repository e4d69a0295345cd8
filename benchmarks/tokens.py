"""Texts a second and memory of making tokens of the 62,774 online_shopping reviews: jieba on one core and on all, BPE.

Each is measured in a process of its own, one after another, in rounds; loading jieba's dictionary is part of its time.
On a machine that does other things too, CPU seconds say more than seconds. Targets: jieba on all cores at least 1.7
times one core, BPE (after it is learnt) 50,000 texts a second. The reviews are those of the CSV file given:
``python benchmarks/tokens.py REVIEWS [ROUNDS]``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

START = """
import json, os, sys, time, torch
import polars as pl
torch.set_num_threads(1)
texts = [text or "" for text in pl.read_csv(sys.argv[1])["review"]]
def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
def cpu():
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system
before = peak()
"""
JIEBA = """
from aurify.data.segmenting import Segmenter
import jieba
cut = Segmenter((), True)
began, used = time.monotonic(), cpu()
words = len(cut(texts).places.values)
seconds, cpu_seconds = time.monotonic() - began, cpu() - used
began, used = time.monotonic(), cpu()
cut(texts)
again = time.monotonic() - began
"""
BPE = """
from aurify.data.subwords import encoded, learnt, vocabulary
began, used = time.monotonic(), cpu()
told = learnt(texts, "bpe", 30_000, 2)
learning = time.monotonic() - began
vocabulary(told)
began, used = time.monotonic(), cpu()
words = len(encoded(told, texts).values)
seconds, cpu_seconds = time.monotonic() - began, cpu() - used
"""
FORMS = """
from aurify.core.ragged import from_texts
from aurify.techniques.text_forms import NormalizeText, TextForm
layer, values = TextForm(**NormalizeText().settings()), {"texts": from_texts(texts)}
began, used = time.monotonic(), cpu()
words = len(layer(values)["texts"].values)
seconds, cpu_seconds = time.monotonic() - began, cpu() - used
"""
END = """
told = {k: v for k, v in globals().items() if k in ("seconds", "cpu_seconds", "again", "learning", "words")}
print(json.dumps({**told, "texts": len(texts), "peak_mb": peak(), "peak_before_mb": before}))
"""


def measured(what: str, path: Path, cores: int | None = None) -> dict[str, float]:
    environment = {k: v for k, v in os.environ.items() if k not in ("AURIFY_CORES", "TOKENIZERS_PARALLELISM")}
    environment |= {"AURIFY_CORES": str(cores)} if cores else {}
    command = [sys.executable, "-c", START + what + END, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(each[key] for each in rounds), 3) for key in rounds[0]}


def main() -> None:
    path, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ways = {"jieba_one_core": (JIEBA, 1), "jieba_all_cores": (JIEBA, None), "bpe": (BPE, None), "forms": (FORMS, None)}
    rounds = [{name: measured(what, path, cores) for name, (what, cores) in ways.items()} for _ in range(count)]
    found = {name: median([each[name] for each in rounds]) for name in ways}
    gain = statistics.median(r["jieba_one_core"]["seconds"] / r["jieba_all_cores"]["seconds"] for r in rounds)
    speed = {name: round(each["texts"] / each["seconds"]) for name, each in found.items()}
    met = {"jieba": gain >= 1.7, "bpe": speed["bpe"] >= 50_000}
    load = [round(each, 1) for each in os.getloadavg()]
    told = {"texts_a_second": speed, "jieba_gain": round(gain, 2), "met": met, "rounds": count, "load": load}
    print(json.dumps({"benchmark": "tokens", "cores": len(os.sched_getaffinity(0)), **found, **told}))


if __name__ == "__main__":
    main()
