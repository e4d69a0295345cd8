"""The options that verbs share: their words, their places in the help and what is said of them there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

Source = Annotated[
    str | None,
    typer.Argument(metavar="SOURCE", help="file or folder of rows, a recipe (.yaml) or a world, as CartPole-v1"),
]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="run folder or model.aurify")]
Target = Annotated[
    str | None, typer.Option("--target", "-t", metavar="COL", help="column to predict, or labels: a,b,c")
]
Drop = Annotated[list[str] | None, typer.Option("--drop", metavar="COL", help="column to leave out; repeatable")]
TestFile = Annotated[str | None, typer.Option("--test", metavar="FILE", help="file whose rows are the test part")]
SplitBy = Annotated[str | None, typer.Option("--split", metavar="BY", help="random, group:COL or time:COL")]
Folds = Annotated[int | None, typer.Option("--folds", metavar="K", help="test every row in turn, in K folds")]
Separator = Annotated[str | None, typer.Option("--separator", metavar="C", help="what parts the cells (detected)")]
Encoding = Annotated[str | None, typer.Option("--encoding", metavar="NAME", help="such as gb18030 (detected)")]
Header = Annotated[str | None, typer.Option("--header", metavar="YES|NO", help="the first line has names (detected)")]
Missing = Annotated[list[str] | None, typer.Option("--missing", metavar="TEXT", help="a missing value; repeatable")]
Types = Annotated[
    list[str] | None,
    typer.Option("--types", metavar="COL=TYPE", help="take as number, category, date, text, image or id; repeatable"),
]
Text = Annotated[list[str] | None, typer.Option("--text", metavar="COL", help="learn from its texts; repeatable")]
Image = Annotated[str | None, typer.Option("--image", metavar="COL", help="learn from its images")]
Size = Annotated[int | None, typer.Option("--size", metavar="PIXELS", help="side of the images (as the data is)")]
Aspect = Annotated[str | None, typer.Option("--aspect", metavar="HOW", help="crop, pad or stretch what is not square")]
Task = Annotated[
    str | None, typer.Option("--task", metavar="NAME", help="table, text, image or control (as the data is)")
]
Positive = Annotated[str | None, typer.Option("--positive", metavar="CLASS", help="of two classes, the one looked for")]
Weight = Annotated[str | None, typer.Option("--weight", metavar="COL", help="column of how much each row counts")]
RecipeFile = Annotated[str | None, typer.Option("--recipe", metavar="FILE", help="recipe to start from")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=V", help="change a setting: network.width=256")]
With = Annotated[list[str] | None, typer.Option("--with", metavar="T[.S=V]", help="switch on: mixup.alpha=0.4")]
Without = Annotated[list[str] | None, typer.Option("--without", metavar="T", help="switch a technique off")]
PartsFile = Annotated[list[str] | None, typer.Option("--parts", metavar="FILE", help="your own parts (.py or folder)")]
Out = Annotated[str | None, typer.Option("--out", "-o", metavar="DIR", help="folder to write to")]
Force = Annotated[bool, typer.Option("--force", help="replace what is there")]
Resume = Annotated[bool, typer.Option("--resume", help="go on where a stopped run left off")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="seed of everything random")]
Time = Annotated[str | None, typer.Option("--time", metavar="5m", help="wall-clock limit, such as 90s, 5m, 1h")]
FindRate = Annotated[bool, typer.Option("--find-rate", help="measure a good learning rate first")]
Blend = Annotated[
    str | None, typer.Option("--blend", metavar="trees|ngrams", help="average with boosted trees, or n-grams")
]
Method = Annotated[
    str | None, typer.Option("--method", metavar="NAME", help="how agents learn in a world: ppo, a2c, q_learning, ...")
]
Steps = Annotated[int | None, typer.Option("--steps", metavar="N", help="steps of each agent in its world")]
Seeds = Annotated[int | None, typer.Option("--seeds", metavar="N", help="agents that learn side by side, a seed each")]
Language = Annotated[str, typer.Option("--lang", metavar="en|zh", help="language of the report")]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu or cuda")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", min=1, help="CPU threads [OMP_NUM_THREADS; 1, of convolutions all cores]"),
]
Every = Annotated[str | None, typer.Option("--checkpoint-every", metavar="30s", help="time between checkpoints")]
Track = Annotated[
    list[str] | None, typer.Option("--track", metavar="NAME[:PLACE]", help="send to mlflow or tensorboard; repeatable")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print the results only")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout and nothing else")]
Accept = Annotated[
    list[str] | None, typer.Option("--accept", metavar="CHECK[:COL]", help="go on despite a severe finding; repeatable")
]
Inspect = Annotated[bool, typer.Option("--inspect/--no-inspect", help="look for what would spoil the result first")]

Words = dict[str, Any]
"""The shared options that were given, under the names by which ``aurify.workbench`` takes them."""

READING: dict[str, Any] = {
    "drop": Drop,
    "test": TestFile,
    "split": SplitBy,
    "separator": Separator,
    "encoding": Encoding,
    "header": Header,
    "missing": Missing,
    "task": Task,
    "text": Text,
    "image": Image,
    "size": Size,
    "aspect": Aspect,
    "types": Types,
    "positive": Positive,
    "weight": Weight,
    "recipe": RecipeFile,
    "parts": PartsFile,
}
"""Options of every verb that reads a source."""

RECIPE = {**READING, "settings": Set, "using": With, "without": Without, "blend": Blend, "accept": Accept}
"""Options of every verb that trains on one."""


def sharing(shared: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put the shared options where a command says ``words``, and hand it those that were given as one mapping."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        placed = [
            each
            for parameter in inspect.signature(command, eval_str=True).parameters.values()
            for each in (_shown(shared) if parameter.name == "words" else [parameter])
        ]

        @wraps(command)
        def called(**given: Any) -> None:
            words = {name: value for name in shared if (value := given.pop(name)) is not None}
            command(**given, words=words)

        # Typer reads both: the one for names, places and defaults, the other for types
        vars(called)["__signature__"] = inspect.Signature(placed)
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in placed}
        return called

    return decorate


def _shown(shared: Mapping[str, Any]) -> list[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, keyword, default=None, annotation=option) for name, option in shared.items()]


def parted(source: str | None, words: Words) -> tuple[str | None, Words]:
    """The source and the words; a source that is a recipe goes where ``--recipe`` would put it."""
    if source is not None and source.endswith((".yaml", ".yml")):
        return None, {**words, "recipe": source}
    return source, words
