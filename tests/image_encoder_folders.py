"""Folders of tiny pretrained image encoders, made on the spot as transformers would save them."""

import json
from pathlib import Path

import torch

SIDE = 24
TOKENS = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": SIDE,
    "patch_size": 8,
}
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 1]}
SMALL = {
    **dict.fromkeys(("clip_vision_model", "deit", "dinov2", "dinov3_vit", "siglip_vision_model", "vit"), TOKENS),
    "dinov2_with_registers": {**TOKENS, "num_register_tokens": 2},
    "swin": {"image_size": SIDE, "patch_size": 2, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2]},
    "convnext": {**STAGES, "num_stages": 2},
    "convnextv2": {**STAGES, "num_stages": 2},
    "mobilenet_v2": {"depth_multiplier": 0.35, "image_size": 32},
    "regnet": {**STAGES, "embedding_size": 8, "groups_width": 8},
    "resnet": {**STAGES, "embedding_size": 8, "layer_type": "basic"},
}
SMALL["swin"]["window_size"] = 3
MEAN, DEVIATION = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def image_encoder_folder(folder, kind="vit", *, seed=0, headed=False, preparing=None, **settings):
    """Make a folder with config.json, model.safetensors and preprocessor_config.json of random weights."""
    import transformers

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = transformers.CONFIG_MAPPING[kind](**{**SMALL[kind], **settings})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        make = transformers.AutoModelForImageClassification if headed else transformers.AutoModel
        model = make.from_config(config)
        for name, value in model.state_dict().items():  # zeros and ones would hide that they were not read
            if value.is_floating_point():
                value += 0.05 * (torch.rand_like(value) if "var" in name else torch.randn_like(value))
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(str(folder))
    said = {"image_mean": MEAN, "image_std": DEVIATION, "size": {"height": SIDE, "width": SIDE}, **(preparing or {})}
    (folder / "preprocessor_config.json").write_text(json.dumps(said))
    return folder
