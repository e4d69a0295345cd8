"""Files of a pretrained image encoder, in a folder or on the hub: read without pickle, and without code of theirs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.foreign import bare_model, config_of, library, safe_config
from aurify.blocks.image_encoder import CHANNELS, FAMILIES, ImageDescription
from aurify.core.errors import AurifyError, listing
from aurify.data.hub_files import folder_of, read_json, reason_of, weight_files

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, where a folder says nothing."""

SIDE = 224
TIMM, TIMM_NAME = "timm/", re.compile(r"[a-z0-9_]+")
SPARE = 1_000_000
"""Numbers that a model may have beyond those in its files: an untouched part, never most of it."""


@dataclass(frozen=True)
class ImageEncoderFiles:
    """Where an encoder's files are, and what they say of it: plain config, and how images are prepared for it."""

    name: str
    folder: Path
    config: dict[str, Any]
    preparing: dict[str, Any]

    def describe(self, pooling: str, size: int | None) -> ImageDescription:
        """All that a model must hold of it beside its weights; ``size`` is the side of its images, None its own."""
        plain = self.preparing
        factor = plain.get("rescale_factor", 1 / 255)
        if not isinstance(factor, (int, float)) or abs(factor - 1 / 255) > 1e-5 or plain.get("do_flip_channel_order"):
            raise AurifyError(f"{self.name}: its images are prepared in a way that is not known here")
        normal = plain.get("do_normalize", True)
        mean, deviation = (
            _three(plain.get(key, usual), self.name) if normal else (other,) * CHANNELS
            for key, usual, other in (("image_mean", MEAN, 0.0), ("image_std", DEVIATION, 1.0))
        )
        sides = (size, size) if size else _sides(plain, self.config)
        chosen = FAMILIES[self.config["model_type"]] if pooling == "auto" else pooling
        return ImageDescription(self.config, sides, mean, deviation, chosen)

    def weights(self, pooler: bool) -> dict[str, Tensor]:
        """Its weights and running statistics (float32) under the names that a bare model of its configuration has.

        transformers itself reads them, for names have changed over the years. Raises AurifyError where some are
        missing or of another shape; those of heads are left out.
        """
        with torch.device("meta"):
            bare = bare_model(self.config, pooler)
        asked, stored = sum(p.numel() for p in bare.parameters()), self._stored()
        if asked > 2 * stored + SPARE:
            raise AurifyError(f"{self.name}: its config.json asks for {asked:,} weights, its files hold {stored:,}")
        made = config_of(self.config)
        kind = library().MODEL_MAPPING[type(made)]
        more = {"add_pooling_layer": pooler} if "add_pooling_layer" in signature(kind.__init__).parameters else {}
        try:
            with _quiet(), torch.random.fork_rng(devices=[]):  # it draws weights before it reads them
                model, found = kind.from_pretrained(
                    str(self.folder),
                    config=made,  # else it would read the folder's own, whatever that asks for
                    dtype=torch.float32,
                    use_safetensors=True,
                    local_files_only=True,
                    output_loading_info=True,
                    **more,
                )
        except Exception as error:
            raise AurifyError(f"{self.name}: its weights cannot be read: {reason_of(error)}") from None
        missing = sorted(str(name) for name in found["missing_keys"])
        if missing:
            raise AurifyError(f"{self.name}: its weights lack {listing(missing, 3)}, which its config.json asks for")
        known = bare.state_dict()
        return {name: value.detach() for name, value in model.state_dict().items() if name in known}

    def _stored(self) -> int:
        """How many numbers its files hold."""
        from safetensors import SafetensorError, safe_open

        total = 0
        for file in weight_files(self.folder, self.name):
            try:
                with safe_open(file, "pt") as stored:
                    shapes = [stored.get_slice(key).get_shape() for key in stored.keys()]  # noqa: SIM118 - no mapping
            except (SafetensorError, OSError) as error:
                raise AurifyError(f"{self.name}: {file.name} cannot be read: {reason_of(error)}") from None
            total += sum(int(torch.Size(shape).numel()) for shape in shapes)
        return total


def find_images(name: str) -> ImageEncoderFiles:
    """The files of a local folder, or of a model of the hub by its name; raises AurifyError for what is not one."""
    if name.startswith(TIMM):
        _require_timm(name)
    folder = folder_of(name)
    if not (folder / "config.json").is_file():
        raise AurifyError(f"{name} holds no config.json: it is not a model of transformers")
    weight_files(folder, name)
    plain = read_json(folder / "config.json")
    preparing = folder / "preprocessor_config.json"
    said = read_json(preparing) if preparing.is_file() else {}
    if "model_type" not in plain and "architecture" in plain:
        _require_timm(name)
        plain, said = _of_timm(plain, name)
    config = safe_config(plain, name, FAMILIES)
    if config.get("num_channels", CHANNELS) != CHANNELS:
        raise AurifyError(f"{name} looks at {config['num_channels']} channels; used here are encoders of {CHANNELS}")
    return ImageEncoderFiles(name, folder, config, said)


def _require_timm(name: str) -> None:
    try:
        import timm  # noqa: F401 # pyright: ignore[reportMissingImports]
    except ImportError:
        raise AurifyError(f"{name} is a model of timm, which is not installed: pip install timm") from None


def _of_timm(plain: Mapping[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A config.json of timm as that of transformers' wrapper around it, and how images are prepared."""
    if not TIMM_NAME.fullmatch(str(plain["architecture"])):  # others would be fetched from elsewhere
        raise AurifyError(f"{name}: architecture {plain['architecture']!r} in its config.json is no name of timm's own")
    about = plain.get("pretrained_cfg")
    about = about if isinstance(about, Mapping) else {}
    said = {ours: about[theirs] for ours, theirs in (("image_mean", "mean"), ("image_std", "std")) if theirs in about}
    sides = about.get("input_size")
    if isinstance(sides, list) and len(sides) == 3:
        said["size"] = {"height": sides[1], "width": sides[2]}
    return {"model_type": "timm_wrapper", "architecture": plain["architecture"]}, said


def _three(values: Any, name: str) -> Any:
    numbers = [values] * CHANNELS if isinstance(values, (int, float)) else values
    if not isinstance(numbers, (list, tuple)) or not all(isinstance(v, (int, float)) for v in numbers):
        raise AurifyError(f"{name}: {values!r} in its preprocessor_config.json are not {CHANNELS} numbers")
    return tuple(map(float, numbers))


def _sides(plain: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """Height and width of the images that an encoder was made for."""
    for found in (plain.get("crop_size"), plain.get("size"), config.get("image_size")):
        match found:
            case {"height": height, "width": width}:
                return height, width
            case {"shortest_edge": side} | int(side):
                return side, side
            case [height, width]:
                return height, width
    return SIDE, SIDE


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what transformers says of weights that it leaves out from the user: what counts is looked at afterwards."""
    hub = library().utils.logging
    level, bar = hub.get_verbosity(), hub.is_progress_bar_enabled()
    hub.set_verbosity(logging.CRITICAL)
    hub.disable_progress_bar()
    try:
        yield
    finally:
        hub.set_verbosity(level)
        if bar:
            hub.enable_progress_bar()
