"""Proof that a ledger can be trusted: its intervals, its verdicts and what it says it would see."""
