"""The command line: words to a verb of the workbench, and its answer to the screen. No logic of its own."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        import aurify

        print(f"aurify {aurify.__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
]


@app.callback()
def about(version: Version = False) -> None:
    """Raw data to a measured neural network, with an interval on every number."""


Source = Annotated[str | None, typer.Argument(metavar="SOURCE", help="file or folder of rows, or a recipe (.yaml)")]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="run folder or model.aurify")]
Target = Annotated[str | None, typer.Option("--target", "-t", metavar="COL", help="column to predict")]
Drop = Annotated[list[str] | None, typer.Option("--drop", metavar="COL", help="column to leave out; repeatable")]
TestFile = Annotated[str | None, typer.Option("--test", metavar="FILE", help="file whose rows are the test part")]
SplitBy = Annotated[str | None, typer.Option("--split", metavar="BY", help="random, group:COL or time:COL")]
Folds = Annotated[int | None, typer.Option("--folds", metavar="K", help="test every row in turn, in K folds")]
Separator = Annotated[str | None, typer.Option("--separator", metavar="C", help="what parts the cells [as it looks]")]
Encoding = Annotated[str | None, typer.Option("--encoding", metavar="NAME", help="such as gb18030 [as it looks]")]
Header = Annotated[
    str | None, typer.Option("--header", metavar="YES|NO", help="the first line has names [as it looks]")
]
Missing = Annotated[list[str] | None, typer.Option("--missing", metavar="TEXT", help="a missing value; repeatable")]
Types = Annotated[
    list[str] | None,
    typer.Option("--types", metavar="COL=TYPE", help="take as number, category, date, text or id; repeatable"),
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
Blend = Annotated[str | None, typer.Option("--blend", metavar="trees", help="average the network with boosted trees")]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu or cuda")]
Threads = Annotated[
    int | None, typer.Option("--threads", metavar="N", min=1, help="CPU threads [OMP_NUM_THREADS or 1]")
]
Every = Annotated[str | None, typer.Option("--checkpoint-every", metavar="30s", help="time between checkpoints")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print the results only")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout and nothing else")]


@app.command()
def fit(
    source: Source = None,
    target: Target = None,
    drop: Drop = None,
    test: TestFile = None,
    split: SplitBy = None,
    folds: Folds = None,
    separator: Separator = None,
    encoding: Encoding = None,
    header: Header = None,
    missing: Missing = None,
    types: Types = None,
    positive: Positive = None,
    weight: Weight = None,
    recipe: RecipeFile = None,
    set_: Set = None,
    with_: With = None,
    without: Without = None,
    parts: PartsFile = None,
    out: Out = None,
    force: Force = False,
    resume: Resume = False,
    seed: Seed = None,
    time: Time = None,
    find_rate: FindRate = False,
    blend: Blend = None,
    device: Device = "auto",
    threads: Threads = None,
    checkpoint_every: Every = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Read, check, split, prepare, train and measure: from a table to a model with evidence."""
    from aurify import workbench
    from aurify.core.recipe import seconds
    from aurify.report import terminal

    if source is not None and source.endswith((".yaml", ".yml")):
        source, recipe = None, source
    console = _console(quiet or json_)
    with terminal.progress(console) as show:
        run = workbench.fit(
            source,
            target,
            drop=drop or (),
            test=test,
            split=split,
            folds=folds,
            separator=separator,
            encoding=encoding,
            header=header,
            missing=missing or (),
            types=types or (),
            positive=positive,
            weight=weight,
            recipe=recipe,
            settings=set_ or (),
            using=with_ or (),
            without=without or (),
            parts=parts or (),
            out=out,
            force=force,
            resume=resume,
            seed=seed,
            seconds=None if time is None else seconds(time),
            find_rate=find_rate,
            blend=blend,
            device=device,
            threads=threads,
            checkpoint_seconds=None if checkpoint_every is None else seconds(checkpoint_every),
            show=show,
            note=lambda text: console.print(f"- {text}", highlight=False, markup=False, soft_wrap=True),
        )
    _print_summary(run.summary, json_)


@app.command()
def evaluate(
    run: RunPath,
    data: Annotated[str | None, typer.Argument(metavar="[DATA]", help="labelled rows [the sealed test part]")] = None,
    parts: PartsFile = None,
    out: Out = None,
    force: Force = False,
    seed: Seed = None,
    device: Device = "auto",
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Score a run on new labelled data, or once more on its sealed test part (each opening is counted)."""
    from aurify import workbench

    summary = workbench.evaluate(run, data, parts=parts or (), out=out, force=force, seed=seed, device=device)
    console = _console(quiet or json_)
    for text in summary["notes"]:
        console.print(f"- {text}", highlight=False, markup=False, soft_wrap=True)
    _print_summary(summary, json_)


@app.command()
def predict(
    run: RunPath,
    data: Annotated[str, typer.Argument(metavar="DATA", help="file with the columns the model knows")],
    parts: PartsFile = None,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="CSV to write [stdout]")] = None,
    force: Force = False,
    device: Device = "auto",
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Predict every row of a file: the prediction and the probability of each class."""
    from aurify import workbench
    from aurify.core.errors import AurifyError
    from aurify.core.files import write_with

    if out is not None and Path(out).exists():
        if Path(data).exists() and Path(out).samefile(data):
            raise AurifyError(f"--out {out} is the data itself; choose another file")
        if not force:
            raise AurifyError(f"{out} exists already; replace it with --force")
    answer = workbench.predict(run, data, parts=parts or (), device=device)
    console = _console(quiet or json_)
    for text in answer.notes:
        console.print(f"- {text}", highlight=False, markup=False, soft_wrap=True)
    frame = answer.to_frame()
    if out is not None:
        write_with(Path(out), lambda file: frame.write_csv(file))
        console.print(f"{frame.height:,} predictions in {out}", highlight=False, markup=False)
    if json_:
        rows = {} if out is not None else {"predictions": frame.to_dicts()}
        print(json.dumps({"run": run, "rows": frame.height, "out": out, "notes": list(answer.notes), **rows}))
    elif out is None:
        sys.stdout.write(frame.write_csv())


@app.command()
def export(
    run: RunPath,
    file: Annotated[str, typer.Argument(metavar="FILE", help="ONNX file to write, such as model.onnx")],
    parts: PartsFile = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Write the model, preparing included, as one ONNX file, and check that it answers as the model does."""
    from aurify import workbench

    record = workbench.export(run, file, parts=parts or (), force=force)
    if json_:
        print(json.dumps(record))
        return
    inputs = ", ".join(f"{name} (rows, {columns})" for name, columns in record["inputs"].items())
    shapes = f"{inputs} to {', '.join(record['outputs'])}"
    what = "probabilities" if "probabilities" in record["outputs"] else "numbers, as a share of the target's spread"
    _console(quiet).print(
        f"{file}: {record['bytes']:,} bytes, ONNX opset {record['opset']}; {shapes}.\n"
        f"{record['rows']:,} rows answered as the model does: the largest difference is {record['difference']:.1e}"
        f" ({what}; at most {record['most_difference']:g} is let through).",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@app.command()
def techniques(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="part to explain")] = None,
    parts: PartsFile = None,
    all_: Annotated[bool, typer.Option("--all", help="explain every part, as one Markdown page")] = False,
    json_: Json = False,
) -> None:
    """List every part a recipe can name, or explain one: the idea, its source, when it helps and when it hurts."""
    from aurify import catalog

    found = catalog.load(parts or ())
    chosen = [found.anywhere(name)] if name else [(k, p) for k, known in found.parts.items() for p in known.values()]
    if json_:
        rows = [{"name": p.name(), "kind": k, "idea": p.idea(), "settings": _knobs(p)} for k, p in chosen]
        print(json.dumps(rows[0] if name else rows))
    elif name or all_:
        print("\n".join(catalog.describe(part, kind) for kind, part in chosen), end="")
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False, show_header=False)
        for kind, part in sorted(chosen, key=lambda c: (list(found.parts).index(c[0]), c[1].name())):
            table.add_row(kind, part.name(), part.idea())
        Console().print(table)


def _knobs(part: Any) -> dict[str, dict[str, str]]:
    return {name: {"help": knob.help, "allowed": knob.rule()} for name, knob in part.knobs().items()}


def _console(quiet: bool) -> Console:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def _print_summary(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary))
        return
    from rich.console import Console

    from aurify.report import terminal

    console = Console()
    terminal.print_scores(console, summary)
    if summary["verdict"]:
        console.print(summary["verdict"], highlight=False)
    openings = summary.get("test_openings")
    opened = "" if openings is None else f" Test part opened {openings} time{'s' if openings > 1 else ''}."
    if summary.get("measured"):
        console.print(summary["measured"], highlight=False, style="dim")
    console.print(
        f"{summary['rows']:,} rows, {summary['draws']:,} bootstrap draws: intervals {summary['intervals']}."
        f"{opened} {summary['seconds']:.1f} s.",
        highlight=False,
        style="dim",
    )
    console.print(f"Run: {summary['run']}", highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Run a command; whatever goes wrong ends as one line and an exit code, never as a traceback."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch loads; --threads overrules it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_at_once)  # until there is something to save: then core.watch takes over
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - closed by the caller
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        _explain(error)
    except BaseException as error:
        if not hasattr(error, "signal_number"):
            raise
        _fail(str(error), 128 + getattr(error, "signal_number"))  # noqa: B009
    if code == 130:  # typer's answer to Ctrl-C
        _fail("interrupted", 130)
    gc.freeze()  # torch leaves so many objects that taking them apart at exit would cost a second
    sys.exit(code)


def _stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """End without unwinding: an exception in the middle of torch's import ends in a core dump or is swallowed."""
    os.write(2, b"aurify: interrupted; nothing was begun that needs saving\n")
    os._exit(128 + number)


def _explain(error: Exception) -> NoReturn:
    from aurify.core.errors import AurifyError

    if isinstance(error, AurifyError):
        _fail(str(error), error.exit_code)
    if isinstance(error, OSError) and error.errno is not None:  # a full disk, a folder moved away, a name too long
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror}; what was saved before is kept", 2)
    said = getattr(error, "format_message", None)  # words that the command line does not know
    if said is not None:
        _fail(f"{said()} (see aurify --help)", 2) if said() else sys.exit(2)
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="aurify-", suffix=".log", delete=False) as log:
        traceback.print_exc(file=log)
    what = str(error).strip().splitlines()
    _fail(
        f"a mistake of ours: {type(error).__name__}: {what[0] if what else ''} (details in {log.name}; please report)",
        70,
    )


def _fail(message: str, code: int) -> NoReturn:
    print(f"aurify: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
