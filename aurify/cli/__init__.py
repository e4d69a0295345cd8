"""The command line."""

from aurify.cli.process import main
from aurify.cli.verbs import app

__all__ = ["app", "main"]
