"""The checks. A new one is a new file with one class, and its words in ``aurify/words``."""
