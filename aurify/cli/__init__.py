"""The command line."""

from aurify.cli import studies as studies  # its verbs join the others
from aurify.cli.process import main
from aurify.cli.verbs import app

__all__ = ["app", "main"]
