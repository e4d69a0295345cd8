"""Tables as checks see them."""

from aurify.inspection import check as room
from aurify.inspection.check import checks
from aurify.workbench import gate, inspecting


def seen_of(monkeypatch, data, target, **words):
    """What checks see of a table, and the traits of its task."""
    caught = []
    with monkeypatch.context() as patch:
        patch.setattr(gate, "look_at", lambda seen, traits: caught.append((seen, traits)) or [])
        inspecting.inspect(data, target, **words)
    return caught[0]


def found_by(monkeypatch, name, data, target, **words):
    """What one check finds in a table."""
    seen, traits = seen_of(monkeypatch, data, target, **words)
    check = next(check for check in checks() if check.name() == name)
    return list(check.look(seen)) if check.needs <= traits else []


def only(monkeypatch, *names):
    """Leave all other checks out of whatever is inspected: no check sees what another one found."""
    chosen = tuple(check for check in checks() if check.name() in names)
    assert len(chosen) == len(names)
    monkeypatch.setattr(room, "checks", lambda: chosen)
