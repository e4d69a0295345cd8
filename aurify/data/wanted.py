"""What users say of columns: which type each is to be taken as, and which role it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aurify.core.errors import AurifyError, suggest
from aurify.data.columns import TYPES


def wanted_types(types: Sequence[str]) -> dict[str, str]:
    """Read ``column=type``; raises AurifyError for a type that there is not."""
    wanted: dict[str, str] = {}
    for text in types:
        name, equals, kind = text.rpartition("=")
        if (
            not equals
            or kind.partition(":")[0] not in TYPES
            or (":" in kind and not kind.startswith(("date:", "number:")))
        ):
            hint = suggest(kind.partition(":")[0], TYPES) if equals else f"; types: {', '.join(TYPES)}"
            raise AurifyError(f"--types {text} is not of the form column=type{hint}")
        wanted[name] = kind
    return wanted


def refuse_two_roles(target: str | None, drop: Sequence[str], wanted: Mapping[str, str], weight: str | None) -> None:
    """Raise AurifyError where a column is meant for two things at once."""
    if target in drop:
        raise AurifyError(f"column {target!r} cannot be both the target and dropped")
    if target in wanted:
        raise AurifyError(f"what the target {target!r} is, is said with --set task.kind=classify or regress")
    if weight is not None and weight in (target, *drop):
        raise AurifyError(
            f"column {weight!r} cannot be both the weight and {'the target' if weight == target else 'dropped'}"
        )
