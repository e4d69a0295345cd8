"""The verbs: everything the command line and Python users call."""

from aurify.workbench.ablating import Ledger, ablate
from aurify.workbench.exporting import export
from aurify.workbench.fitting import fit
from aurify.workbench.inspecting import SevereError, inspect
from aurify.workbench.measuring import evaluate
from aurify.workbench.playing import Plays, play
from aurify.workbench.runs import FittedRun, load, predict, report
from aurify.workbench.tracking import track
from aurify.workbench.tuning import Tuned, tune

__all__ = [
    "FittedRun",
    "Ledger",
    "Plays",
    "SevereError",
    "Tuned",
    "ablate",
    "evaluate",
    "export",
    "fit",
    "inspect",
    "load",
    "play",
    "predict",
    "report",
    "track",
    "tune",
]
