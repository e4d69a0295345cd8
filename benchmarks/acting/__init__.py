"""Contests of the control task."""
