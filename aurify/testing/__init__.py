"""The contract suite for parts of your own: what every technique, network and optimizer has to promise."""

from aurify.testing.suite import CheckSkipped, check_part, checks, parametrize_with_checks

__all__ = ["CheckSkipped", "check_part", "checks", "parametrize_with_checks"]
