"""A network as a chain of layers from input to output: which parameters lie how deep."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn


def links(model: nn.Module) -> list[list[nn.Parameter]]:
    """Trained parameters by depth, the input's first and the head's last; each parameter in one link.

    Depth is the order in which modules were registered. Every element of a Sequential or ModuleList is a link, and so
    is every other module that does not itself hold such a list.
    """
    seen: set[int] = set()
    found = []
    for parameters in _links(model):
        fresh = [p for p in parameters if p.requires_grad and id(p) not in seen]
        seen.update(map(id, fresh))
        found += [fresh] if fresh else []
    return found


def _links(module: nn.Module) -> Iterator[list[nn.Parameter]]:
    yield list(module.parameters(recurse=False))
    for child in module.children():
        if _is_list(child):
            yield from (list(element.parameters()) for element in child.children())
        elif any(map(_is_list, child.children())):
            yield from _links(child)
        else:
            yield list(child.parameters())


def _is_list(module: nn.Module) -> bool:
    return isinstance(module, (nn.Sequential, nn.ModuleList))
