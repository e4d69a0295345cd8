"""The portfolio as YAML, with what was measured of each entry beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

HEAD = """\
# Where `aurify tune --method auto` begins: recipes that were strong on other tables, what helps soonest first. Each
# entry is what it changes of the recipe (techniques are given whole; {} is the recipe itself). benchmarks/portfolio.py
# wrote this and says on which tables and how: one is cheap, each other one lowers the mean regret of the best so far
# most (Feurer et al. 2022, Auto-sklearn 2.0). Regret: distance to a table's best candidate, in units of the median's.
"""


def written(portfolios: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The whole file."""
    lines = [HEAD]
    for kind, entries in portfolios.items():
        lines.append(f"{kind}:")
        for one in entries:
            told = f"alone {one['alone']:.2f}, best so far {one['so_far']:.2f}; {one['seconds']:.1f} s on 2,000 rows"
            lines += [f"  # mean regret {told}", *_entry(one["entry"])]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _entry(entry: Mapping[str, Any]) -> list[str]:
    if not entry:
        return ["  - {}"]
    lines: list[str] = []
    for key, value in entry.items():
        mark = "    " if lines else "  - "
        if key == "techniques":
            lines += [f"{mark}{key}:", *(f"      {name}: {_flow(settings)}" for name, settings in value.items())]
        else:
            lines.append(f"{mark}{key}: {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).strip()
