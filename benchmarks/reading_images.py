"""Images a second from a folder of 60,000 small JPEG files into a written Store, and what it costs beside decoding.

`--folder` names another folder of images, a class each; else noise of 32 x 32 pixels is written first. Each round is a
process of its own. `by_hand` reads the same files one after another with Pillow and numpy alone. Target, on two idle
cores: at least 8,000 images a second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

COUNT, SIDE, CLASSES, ROUNDS = 60_000, 32, 10, 3
TARGET = 8_000
MEASURE = """
import json, sys, time
from pathlib import Path
from aurify.core.recipe import Source
from aurify.data.copies import image_keys
from aurify.data.tables import read_table
import torch

began, used = time.monotonic(), time.process_time()
store = read_table(Source(), sys.argv[1], "auto", "random", beyond={"image"}).store
read = time.monotonic()
store.write(Path(sys.argv[2]) / "store")
written, spent = time.monotonic(), time.process_time()
image_keys(store.inputs["images"])
keyed = time.monotonic()
peak = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
print(json.dumps({
    "images": len(store), "read_seconds": read - began, "write_seconds": written - read, "key_seconds": keyed - written,
    "cpu_seconds": spent - used, "images_per_second": len(store) / (written - began), "peak_mb": peak,
}))
"""
BY_HAND = """
import json, sys, time
from pathlib import Path
import numpy as np
from PIL import Image

began, used = time.monotonic(), time.process_time()
paths = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix in (".jpg", ".png"))
images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
np.save(Path(sys.argv[2]) / "by_hand.npy", images)
seconds = time.monotonic() - began
print(json.dumps({"images": len(images), "images_per_second": len(images) / seconds,
                  "cpu_seconds": time.process_time() - used}))
"""


def write_images(root: Path) -> None:
    """Smooth noise, as large as photos of this size are when they are packed."""
    from PIL import Image

    random = np.random.default_rng(0)
    for label in range(CLASSES):
        (root / f"class_{label}").mkdir()
        for at in range(COUNT // CLASSES):
            coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            image = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            image.save(root / f"class_{label}" / f"{at}.jpg", quality=90)


def measured(code: str, folder: Path, out: Path) -> dict[str, float]:
    command = [sys.executable, "-c", code, str(folder), str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(each[key] for each in rounds), 2) for key in rounds[0]}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--folder", type=Path)
    words.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = words.parse_args()
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        folder = chosen.folder or out / "images"
        if chosen.folder is None:
            folder.mkdir()
            write_images(folder)
        rounds = [(measured(BY_HAND, folder, out), measured(MEASURE, folder, out)) for _ in range(chosen.rounds)]
    hand, ours = (medians([each[at] for each in rounds]) for at in (0, 1))
    load = round(os.getloadavg()[0], 1)
    found = {"aurify": ours, "by_hand": hand, "cores": len(os.sched_getaffinity(0)), "load": load}
    met = ours["images_per_second"] >= TARGET
    print(json.dumps({"benchmark": "reading_images", **found, "target": TARGET, "met": met, "rounds": chosen.rounds}))


if __name__ == "__main__":
    main()
