"""A network passed from Python: the catalog of one call knows it, and its recipe names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.parts import Network
from aurify.networks.given import Maker, given

Passed = str | Network | nn.Module | Maker | None
"""A name, a Network, a module whose weights are the start, or a function of the Signature that makes a module."""


def catalog_with(parts: Sequence[str | Path], network: Passed) -> tuple[Catalog, dict[str, Any] | None]:
    """The catalog for one call, and what a recipe says of the network passed (nothing when none was)."""
    catalog = catalogs.load(parts)
    if network is None:
        return catalog, None
    if isinstance(network, str):
        return catalog, {"name": network}
    if not isinstance(network, Network):
        if not callable(network):
            raise AurifyError(
                f"network = {network!r} is not one: give a name, a torch module or a function that makes one"
            )
        network = given(network)
    catalog.parts["network"][network.name()] = type(network)
    return catalog, {"name": network.name(), **network.settings()}
