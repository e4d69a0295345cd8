"""Norms by name."""

from __future__ import annotations

from torch import nn

from aurify.blocks.batch_norm import BatchNorm

NORMS = {"none": nn.Identity, "batch": BatchNorm, "layer": nn.LayerNorm}
