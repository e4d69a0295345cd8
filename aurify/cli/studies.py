"""The verbs that train many recipes: words to the workbench, and its answer to the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from aurify.cli import options
from aurify.cli.screen import answering, console_of, noting
from aurify.cli.verbs import app


@app.command()
@options.sharing(options.RECIPE)
def ablate(
    run: Annotated[str | None, typer.Argument(metavar="RUN|SOURCE", help="run folder, or data as fit takes it")] = None,
    target: options.Target = None,
    *,
    designs: Annotated[
        str | None,
        typer.Option("--designs", metavar="A,B", help="leave_one_out, add_one, cumulative [leave_one_out]"),
    ] = None,
    families: Annotated[
        str | None, typer.Option("--families", metavar="A,B", help="with and without whole families, or all")
    ] = None,
    interactions: Annotated[
        str | None, typer.Option("--interactions", metavar="A,B", help="what two gain together beyond each alone")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option("--sweep", metavar="T.S[=V,V]", help="other values of a setting: dropout.rate; repeatable"),
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", metavar="NAME", help="judge by it (the main one)")] = None,
    worth: Annotated[float | None, typer.Option("--worth", metavar="X", help="smallest gain worth knowing")] = None,
    method: options.Method = None,
    rows: Annotated[int | None, typer.Option("--rows", metavar="N", help="rows of a sample [3000]")] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="updates at most; of agents steps in their world [50000]")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", help="agents of each recipe [10, and 20 where it tells more]")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="all rows, the recipe's own steps: the overnight form")] = False,
    simplify: Annotated[bool, typer.Option("--simplify", help="write the smallest recipe not worse")] = False,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", help="trainings side by side")] = None,
    words: options.Words,
    inspect: options.Inspect = True,
    out: options.Out = None,
    force: options.Force = False,
    resume: Annotated[bool, typer.Option("--resume", help="go on where it was stopped, as it always does")] = False,
    seed: options.Seed = None,
    language: options.Language = "en",
    device: options.Device = "auto",
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Say what each ingredient of a recipe was worth on this data, with intervals, and what it cost."""
    from aurify import workbench
    from aurify.core.errors import AurifyError
    from aurify.report import ledger_table, terminal
    from aurify.report.ledger_frame import brief

    if force and resume:
        raise AurifyError("--force begins anew and --resume goes on: choose one")
    run, words = options.parted(run, words)
    console = console_of(quiet or json_)
    with terminal.reading(console), ledger_table.studying(console) as progress, answering():
        ledger = workbench.ablate(
            run,
            target,
            designs=_names("--designs", designs) or None,
            families=_names("--families", families),
            interactions=_names("--interactions", interactions),
            sweep=sweep or (),
            metric=metric,
            worth=worth,
            method=method,
            rows=rows,
            steps=steps,
            seeds=seeds,
            full=full,
            simplify=simplify,
            workers=workers,
            inspect=inspect,
            out=out,
            force=force,
            seed=seed,
            language=language,
            device=device,
            progress=progress,
            note=noting(console),
            tell=terminal.telling(console),
            **words,
        )
    if json_:
        about = {name: ledger.plain[name] for name in ("metric", "learnt", "tested", "steps", "seconds", "simplified")}
        rows_ = [brief(effect) for effect in ledger.plain["effects"]]
        print(json.dumps({"rows": rows_, "run": str(ledger.path), "report": str(ledger.report), **about}))
        return
    ledger_table.print_ledger(console_of(quiet=False, error=False), ledger.plain, Path(ledger.path), language=language)


@app.command()
@options.sharing(options.RECIPE)
def tune(
    source: options.Source = None,
    target: options.Target = None,
    *,
    time: Annotated[str | None, typer.Option("--time", metavar="5m", help="search so long: 90s, 5m, 1h")] = None,
    trials: Annotated[int | None, typer.Option("--trials", metavar="N", help="search so many trials")] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="auto, grid, random, bayes, tpe or hyperband")
    ] = "auto",
    knobs: Annotated[
        str | None, typer.Option("--knobs", metavar="A,B", help="what may change: network.width,dropout.rate, or all")
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", metavar="FILE", help="YAML: which values knobs may have")
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", metavar="NAME", help="judge by it (the main one)")] = None,
    objectives: Annotated[
        str | None, typer.Option("--objectives", metavar="A,B", help="best trade-offs: roc_auc,latency")
    ] = None,
    inner: Annotated[
        int | None,
        typer.Option("--inner", metavar="K", help="folds that a trial is scored on [3; of many rows 2 of 5]"),
    ] = None,
    nested: Annotated[bool, typer.Option("--nested", help="measure the whole search, by outer folds")] = False,
    ensemble: Annotated[
        bool, typer.Option("--ensemble/--no-ensemble", help="auto: ship several trials together")
    ] = True,
    compare: Annotated[
        str | None, typer.Option("--compare", metavar="A,B", help="methods side by side: grid,random,bayes")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", metavar="R", help="of each method that is compared")] = 5,
    steps: options.Steps = None,
    seeds: options.Seeds = None,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", help="trainings side by side")] = None,
    storage: Annotated[
        str | None, typer.Option("--storage", metavar="URL", help="share trials: postgresql://USER@HOST/DB")
    ] = None,
    words: options.Words,
    inspect: options.Inspect = True,
    out: options.Out = None,
    force: options.Force = False,
    resume: Annotated[bool, typer.Option("--resume", help="go on where it was stopped, as it always does")] = False,
    seed: options.Seed = None,
    language: options.Language = "en",
    device: options.Device = "auto",
    quiet: options.Quiet = False,
    json_: options.Json = False,
) -> None:
    """Look for better settings within a budget, ship the best, and say what it is worth; the test part stays sealed."""
    from aurify import workbench
    from aurify.core.errors import AurifyError
    from aurify.core.recipe import seconds
    from aurify.report import terminal, tuning_table
    from aurify.report.tuning_frame import brief

    if force and resume:
        raise AurifyError("--force begins anew and --resume goes on: choose one")
    source, words = options.parted(source, words)
    console = console_of(quiet or json_)
    with terminal.reading(console), tuning_table.searching(console) as progress:
        tuned = workbench.tune(
            source,
            target,
            seconds=None if time is None else seconds(time),
            trials=trials,
            method=method,
            knobs=_names("--knobs", knobs),
            space=space,
            metric=metric,
            objectives=_names("--objectives", objectives),
            folds=inner,
            nested=nested,
            ensemble=ensemble,
            compare=_names("--compare", compare),
            repeats=repeats,
            steps=steps,
            seeds=seeds,
            workers=workers,
            storage=storage,
            inspect=inspect,
            out=out,
            force=force,
            seed=seed,
            language=language,
            device=device,
            progress=progress,
            note=noting(console),
            tell=terminal.telling(console),
            **words,
        )
    if json_:
        print(json.dumps({**brief(tuned.plain, tuned.listed, tuned.path), "report": str(tuned.report)}))
    else:
        screen = console_of(quiet=False, error=False)
        tuning_table.print_tuning(screen, tuned.plain, tuned.listed, Path(tuned.path), language=language)
    if tuned.plain["interrupted"] is not None:
        raise typer.Exit(128 + tuned.plain["interrupted"])


def _names(option: str, text: str | None) -> list[str]:
    """The names between commas; none where the option was not given."""
    from aurify.core.errors import AurifyError

    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    if text is not None and not names:
        raise AurifyError(f"{option} {text!r} names nothing: write names with commas between them")
    return names
