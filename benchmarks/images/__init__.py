"""Contests of the image task."""
