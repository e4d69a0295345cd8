"""Techniques: ideas that can be switched on or off, one family a file."""
