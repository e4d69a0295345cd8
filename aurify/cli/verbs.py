"""The verbs: words to the workbench, and its answer to the screen. No logic of its own."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from aurify.cli import options
from aurify.cli.screen import answering, console_of, noting, print_summary, telling_episodes

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


@app.command()
@options.sharing(options.RECIPE)
def fit(
    source: options.Source = None,
    target: options.Target = None,
    *,
    words: options.Words,
    folds: options.Folds = None,
    out: options.Out = None,
    force: options.Force = False,
    resume: options.Resume = False,
    seed: options.Seed = None,
    time: options.Time = None,
    find_rate: options.FindRate = False,
    method: options.Method = None,
    steps: options.Steps = None,
    seeds: options.Seeds = None,
    language: options.Language = "en",
    device: options.Device = "auto",
    threads: options.Threads = None,
    checkpoint_every: options.Every = None,
    track: options.Track = None,
    inspect: options.Inspect = True,
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Read, check, split, prepare, train and measure: from a table to a model with evidence."""
    from aurify import workbench
    from aurify.core.recipe import seconds
    from aurify.report import terminal

    source, words = options.parted(source, words)
    console = console_of(quiet or json_)
    with terminal.reading(console), terminal.progress(console) as show, answering():
        run = workbench.fit(
            source,
            target,
            folds=folds,
            out=out,
            force=force,
            resume=resume,
            seed=seed,
            seconds=None if time is None else seconds(time),
            find_rate=find_rate,
            method=method,
            steps=steps,
            seeds=seeds,
            language=language,
            device=device,
            threads=threads,
            checkpoint_seconds=None if checkpoint_every is None else seconds(checkpoint_every),
            track=track or (),
            inspect=inspect,
            show=show,
            note=noting(console),
            tell=terminal.telling(console),
            **words,
        )
    print_summary({**run.summary, "report": str(run.folder.report)}, json_)


Second = Annotated[str | None, typer.Option("--test", metavar="FILE", help="second file to compare with")]


@app.command()
@options.sharing({**options.READING, "test": Second})
def inspect(
    source: options.Source = None,
    target: options.Target = None,
    *,
    words: options.Words,
    fix: Annotated[bool, typer.Option("--fix", help="write a recipe that fixes what a recipe can")] = False,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="DIR", help="else runs/NAME-inspected")] = None,
    seed: options.Seed = None,
    language: options.Language = "en",
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Look for what would spoil the result, before anything is trained: leaks, copies, shifts, wrong labels."""
    from aurify import workbench
    from aurify.core.folder import inspected
    from aurify.report import terminal

    source, words = options.parted(source, words)
    place = Path(out) if out is not None else inspected(source or words.get("recipe", ""))
    with terminal.reading(console_of(quiet or json_)), answering():
        found = workbench.inspect(source, target, out=place, fix=fix, seed=seed, language=language, **words)
    if json_:
        print(json.dumps({"findings": [finding.brief() for finding in found], "folder": str(place)}))
        return
    console = console_of(quiet=False, error=False)
    terminal.print_findings(console, found, place, fixed=fix, notes=not quiet, language=language)


@app.command()
def evaluate(
    run: options.RunPath,
    data: Annotated[str | None, typer.Argument(metavar="[DATA]", help="rows (else the sealed test part)")] = None,
    parts: options.PartsFile = None,
    out: options.Out = None,
    force: options.Force = False,
    seed: options.Seed = None,
    language: options.Language = "en",
    device: options.Device = "auto",
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Score a run on new labelled data, or on its sealed test part (each opening is counted); measure a tuned run."""
    from aurify import workbench
    from aurify.report import terminal

    console = console_of(quiet or json_)
    with terminal.reading(console), answering():
        summary = workbench.evaluate(
            run, data, parts=parts or (), out=out, force=force, seed=seed, language=language, device=device
        )
    for text in summary["notes"]:
        noting(console)(text)
    print_summary(summary, json_)


@app.command()
def predict(
    run: options.RunPath,
    data: Annotated[
        list[str], typer.Argument(metavar="DATA", help="file or folder of rows, a text, images, or - (stdin)")
    ],
    top: Annotated[
        int | None, typer.Option("--top", metavar="K", min=1, help="the K most probable classes only")
    ] = None,
    parts: options.PartsFile = None,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="CSV (else stdout)")] = None,
    force: options.Force = False,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Predict every row of a file, or texts, or images: the prediction and the probability of each class."""
    from aurify import workbench
    from aurify.cli.streamed import NAME, standing_in
    from aurify.core.errors import AurifyError
    from aurify.core.files import write_with
    from aurify.data.asking import named_file
    from aurify.report import terminal

    one = data[0] if len(data) == 1 else ""
    if out is not None and Path(out).exists():
        if any(named_file(each) and Path(each).exists() and Path(out).samefile(each) for each in data):
            raise AurifyError(f"--out {out} is the data itself; choose another file")
        if not force:
            raise AurifyError(f"{out} exists already; replace it with --force")
    console = console_of(quiet or json_)
    with standing_in(one) as given, terminal.reading(console):
        answer = workbench.predict(run, given if one else data, parts=parts or (), device=device)
    for text in answer.notes:
        noting(console)(text.replace(str(given), NAME) if one == "-" else text)
    frame = answer.to_frame(top)
    if out is not None:
        write_with(Path(out), lambda file: frame.write_csv(file))
        console.print(f"{frame.height:,} predictions in {out}", highlight=False, markup=False)
    if json_:
        rows = {} if out is not None else {"predictions": frame.to_dicts()}
        print(json.dumps({"run": run, "rows": frame.height, "out": out, "notes": list(answer.notes), **rows}))
    elif out is None:
        sys.stdout.write(frame.write_csv())


@app.command()
def play(
    run: options.RunPath,
    episodes: Annotated[int, typer.Option("--episodes", metavar="N", help="episodes to play")] = 1,
    agent: Annotated[int | None, typer.Option("--agent", metavar="K", help="agent from 0 (else the best)")] = None,
    sampled: Annotated[bool, typer.Option("--sampled", help="draw actions, not always the best one")] = False,
    record: Annotated[
        str | None, typer.Option("--record", metavar="FILE", help="animated GIF to write, or .txt of a world of text")
    ] = None,
    parts: options.PartsFile = None,
    force: options.Force = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="draws other episodes")] = 0,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Let an agent of a control run play new episodes in its world, and record what is seen."""
    from aurify import workbench

    console = console_of(quiet or json_, error=False)
    played = workbench.play(
        run,
        episodes=episodes,
        agent=agent,
        sampled=sampled,
        record=record,
        parts=parts or (),
        force=force,
        seed=seed,
        device=device,
        told=telling_episodes(console),
    )
    if json_:
        print(json.dumps({"run": run, **asdict(played)}))
    elif played.record is not None:
        console.print(f"{played.pictures:,} pictures in {played.record}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def export(
    run: options.RunPath,
    file: Annotated[str, typer.Argument(metavar="FILE", help="ONNX file to write, such as model.onnx")],
    parts: options.PartsFile = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Write the model, preparing included, as one ONNX file, and check that it answers as the model does."""
    from aurify import workbench

    record = workbench.export(run, file, parts=parts or (), force=force)
    if json_:
        print(json.dumps(record))
        return
    shapes = {name: ", ".join(map(str, n if isinstance(n, list) else [n])) for name, n in record["inputs"].items()}
    inputs = ", ".join(f"{name} (rows, {shape})" for name, shape in shapes.items())
    shapes = f"{inputs} to {', '.join(record['outputs'])}"
    what = "probabilities" if "probabilities" in record["outputs"] else "numbers, as a share of the target's spread"
    console_of(quiet).print(
        f"{file}: {record['bytes']:,} bytes, ONNX opset {record['opset']}; {shapes}.\n"
        f"{record['rows']:,} rows answered as the model does: the largest difference is {record['difference']:.1e}"
        f" ({what}; at most {record['most_difference']:g} is let through).",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="run folder")],
    language: options.Language = "en",
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="else report.html in RUN")] = None,
    parts: options.PartsFile = None,
    device: options.Device = "auto",
    json_: options.Json = False,
) -> None:
    """Write a finished run's report, one HTML file that needs no other, and say where it is."""
    from aurify import workbench

    path = workbench.report(run, language=language, out=out, parts=parts or (), device=device)
    print(json.dumps({"run": run, "report": str(path)}) if json_ else f"Report: {path}")


@app.command()
def track(
    run: Annotated[str, typer.Argument(metavar="RUN", help="run folder, finished or still at work")],
    to: Annotated[list[str], typer.Option("--to", metavar="NAME[:PLACE]", help="mlflow or tensorboard; repeatable")],
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Send a run to a tracker: whatever it lacks of the curves, the scores and the files."""
    from aurify import workbench

    record = workbench.track(run, to)
    if json_:
        print(json.dumps(record))
        return
    unfinished = "" if record["finished"] else " (the run is not finished: send it again later)"
    for sent in record["sent"]:
        console_of(quiet).print(
            f"{sent['values']:,} values sent to {sent['to']}: {sent['link']}{unfinished}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


@app.command()
def techniques(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="part to explain")] = None,
    parts: options.PartsFile = None,
    all_: Annotated[bool, typer.Option("--all", help="explain every part, as one Markdown page")] = False,
    json_: options.Json = False,
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
