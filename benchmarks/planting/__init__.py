"""Defects planted into clean tables, to count how many an inspection finds."""
