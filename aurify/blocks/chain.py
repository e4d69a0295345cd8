"""A network as a chain of layers from input to output: which parameters lie how deep."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn


class Chain(nn.Module):
    """A module whose inside is a chain of layers, however deep it lies; what is beside it comes after it."""


def links(model: nn.Module) -> list[list[nn.Parameter]]:
    """Trained parameters by depth, the input's first and the head's last; each parameter in one link.

    Depth is the order in which modules were registered. Every element of a Sequential or ModuleList is a link, and so
    is every other module that does not itself hold such a list. A ``Chain`` is looked into wherever it is; what is
    beside it is one link.
    """
    seen: set[int] = set()
    found = []
    for parameters in _links(model):
        fresh = [p for p in parameters if p.requires_grad and id(p) not in seen]
        seen.update(map(id, fresh))
        found += [fresh] if fresh else []
    return found


def _links(module: nn.Module, inside: bool = False) -> Iterator[list[nn.Parameter]]:
    """Links of a module, ``inside`` a chain or not; what comes a second time was counted at its first."""
    yield list(module.parameters(recurse=False))
    for child in sorted(module.children(), key=lambda c: not _chains(c)):
        if isinstance(child, LISTS):
            yield from (list(element.parameters()) for element in child.children())
        elif any(isinstance(m, LISTS) for m in (child.modules() if inside else child.children())):
            yield from _links(child, inside)
        else:
            for chain in _chains(child):
                yield from _links(chain, inside=True)
            yield list(child.parameters())


def _chains(module: nn.Module) -> list[nn.Module]:
    return [m for m in module.modules() if isinstance(m, Chain)]


LISTS = (nn.Sequential, nn.ModuleList)
