"""What a tuning leaves: a model that answers, trials that are whole, an honest score, and the test part untouched."""

import json
import shutil
import signal

import numpy as np
import pytest

import aurify
from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.data.splits import Parts

TINY = {
    "network": {"name": "mlp", "width": 8, "depth": 1},
    "optimizer": {"name": "adamw", "learning_rate": 0.01},
    "techniques": {"scale_numbers": {}, "dropout": {}},
    "budget": {"epochs": 3, "batch_size": 32},
}
WORDS = {"recipe": TINY, "workers": 1, "inspect": False, "device": "cpu"}
KNOBS = ["network.width", "dropout.rate", "optimizer.learning_rate"]


@pytest.fixture(scope="session")
def tune(csv_files):
    """Return ``workbench.tune`` of a tiny table of a kind, with small words."""

    def make(source="classify", target="y", **words):
        named = {"method": "random", "trials": 4, "knobs": KNOBS}
        return workbench.tune(csv_files.get(source, source), target, **{**WORDS, **named, **words})

    return make


@pytest.fixture(scope="session")
def tuned(tune, tmp_path_factory):
    """A finished search, for looking at only."""
    return tune(out=tmp_path_factory.mktemp("tuned") / "run")


def trials(folder):
    return json.loads((folder / "trials.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classify", "regress"])
@pytest.mark.parametrize("method", ["grid", "random", "tpe", "bayes", "hyperband", "auto"])
def test_every_method_ships_a_model_that_answers(tune, tmp_path, csv_files, kind, method):
    found = tune(kind, method=method, trials=5, out=tmp_path / "run")
    answers = found.predict(csv_files[kind])
    assert answers.height > 100
    assert found.plain["picked"] == found.plain["best"]["score"]
    assert found.plain["remeasured"]["low"] <= found.plain["remeasured"]["value"] <= found.plain["remeasured"]["high"]
    done = trials(found.path)
    assert [trial["number"] for trial in done] == list(range(len(done)))
    assert {trial["state"] for trial in done} <= {"complete", "pruned"}
    assert found.trials.height == len(done) == 5
    assert found.report.exists()


def test_the_shipped_model_is_the_mean_of_the_winners_folds(tuned):
    assert len(tuned.bundle.members) == 3
    assert sum(member.weight for member in tuned.bundle.members) == pytest.approx(1)
    best = tuned.plain["best"]
    assert tuned.bundle.recipe.network.settings()["width"] == best["settings"]["network.width"]
    recipe = aurify.load(tuned.path).recipe
    assert recipe == tuned.bundle.recipe


def test_scores_are_means_over_folds_of_rows_that_were_not_learnt_from(tuned):
    """Scored again from what is kept: the winner's answers for the rows of each fold."""
    from aurify.measure.predictions import Predictions

    parts = Parts.open(tuned.path / "parts.aurify")
    scored = [Predictions.read(path) for path in sorted(tuned.path.glob("search/models/*/predictions.parquet"))]
    assert scored
    for one in scored:
        assert not set(one.row) & set(parts.test), "a tested row was scored in the search"
    rows = np.sort(np.concatenate([parts.fit, parts.held]))
    assert set(np.concatenate([one.row for one in scored])) == set(rows)


@pytest.mark.slow
def test_the_test_part_stays_sealed_until_evaluate(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=2)
    assert not (found.path / "openings.jsonl").exists()
    assert not (found.path / "scores.json").exists()
    summary = workbench.evaluate(found.path)
    assert summary["test_openings"] == 1
    assert (found.path / "scores.json").exists()
    again = tune(out=tmp_path / "run", trials=2)
    assert (again.path / "scores.json").exists(), "the same model keeps what was measured of it"
    other = tune(out=tmp_path / "run", trials=6, method="tpe")
    same = other.plain["best"]["settings"] == found.plain["best"]["settings"]
    assert (other.path / "scores.json").exists() == same, "what was measured of another model is gone"


@pytest.mark.slow
def test_a_winner_chosen_after_the_test_part_was_looked_at_is_said_to_be(tune, tmp_path):
    words, told = {"out": tmp_path / "run", "method": "grid"}, []
    found = tune(trials=1, note=told.append, **words)
    assert found.plain["looked"] == 0
    workbench.evaluate(found.path)
    same = tune(trials=1, note=told.append, **words)
    assert same.plain["looked"] == 0, "the same model as before the look"
    assert not [text for text in told if "looked at" in text]
    other = tune(trials=9, note=told.append, **words)
    assert other.plain["best"]["number"] > 0
    assert other.plain["looked"] == 1
    assert [str(text) for text in told if "looked at" in text] == [
        "the winner was chosen after the test part had been looked at (1)"
    ]
    assert "after the test part had been looked at" in other.report.read_text()
    workbench.evaluate(other.path)
    assert "after the test part had been looked at" in other.report.read_text()
    assert tune(trials=9, **words).plain["looked"] == 1, "it stays said"


@pytest.fixture(scope="session")
def later(tune, tmp_path_factory):
    """A search whose winner is not its first trial, measured; and its words."""
    words = {"out": tmp_path_factory.mktemp("later") / "run", "trials": 2, "seed": 2}
    found = tune(**words)
    assert found.plain["best"]["number"] > 0
    workbench.evaluate(found.path)
    return found, words


@pytest.mark.slow
@pytest.mark.parametrize(("more", "refused"), [({}, False), ({"missing": "unknown"}, True), ({"trials": 4}, False)])
def test_calling_again_keeps_recipe_and_measures_of_a_winner_that_stays(tune, later, tmp_path, more, refused):
    found, words = later
    folder = shutil.copytree(found.path, tmp_path / "run")
    names = ("recipe.yaml", "model.aurify", "scores.json", "evidence.json", "predictions.parquet")
    before = {name: (folder / name).read_bytes() for name in names}
    assert "width: 8\n" not in before["recipe.yaml"].decode()
    if refused:
        with pytest.raises(AurifyError, match=r"recipe, that of search/recipe.yaml there; .* begin anew with --force"):
            tune(**{**words, **more, "out": folder})
    else:
        assert tune(**{**words, **more, "out": folder}).plain["best"]["number"] == found.plain["best"]["number"]
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_more_trials_go_on_where_fewer_ended(tune, tuned, tmp_path):
    small = tune(out=tmp_path / "run", trials=2)
    lines = (small.path / "search" / "trainings.jsonl").read_text().splitlines()
    more = tune(out=tmp_path / "run", trials=4)
    now = (more.path / "search" / "trainings.jsonl").read_text().splitlines()
    assert now[: len(lines)] == lines
    keys = [json.loads(line)["key"] for line in now]
    assert len(keys) == len(set(keys))
    names = ("number", "settings", "score")
    assert [{n: t[n] for n in names} for t in trials(more.path)] == [
        {n: t[n] for n in names} for t in trials(tuned.path)
    ]


def test_nothing_of_the_search_is_made_again_by_the_same_call(tune, tmp_path):
    first = tune(out=tmp_path / "run", trials=3)
    files = {path: path.stat().st_mtime_ns for path in first.path.rglob("model.aurify")}
    before = (first.path / "search" / "trainings.jsonl").read_bytes()
    again = tune(out=tmp_path / "run", trials=3)
    assert (again.path / "search" / "trainings.jsonl").read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in again.path.rglob("model.aurify")} == files
    assert {k: v for k, v in again.plain.items() if k not in ("seconds", "wall")} == {
        k: v for k, v in first.plain.items() if k not in ("seconds", "wall")
    }


def test_time_ends_a_search_and_something_is_always_shipped(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=None, seconds=1.0)
    assert found.plain["stopped"] == "time was up"
    assert found.trials.height >= 1
    assert found.bundle.members


@pytest.mark.slow
def test_nested_scores_come_from_rows_that_no_trial_saw(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=2, nested=True)
    nested = found.plain["nested"]
    assert len(nested["folds"]) == 3
    assert nested["low"] <= nested["value"] <= nested["high"]
    assert nested["value"] == pytest.approx(np.mean(nested["folds"]))


def test_trade_offs_are_a_front(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=6, objectives=["roc_auc", "parameters"], knobs=["network.width"])
    done = {
        trial["number"]: (trial["values"]["roc_auc"], -trial["values"]["parameters"]) for trial in trials(found.path)
    }
    for number, own in done.items():
        beaten = any(a >= own[0] and b >= own[1] and (a, b) != own for a, b in done.values())
        assert (number in found.plain["front"]) != beaten


def test_methods_are_compared_with_intervals(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=3, compare=["random", "tpe"], repeats=2)
    table = found.plain["compare"]
    assert [row["method"] for row in table["table"]] == ["random", "tpe"]
    assert len(table["runs"]) == 4
    for run in table["runs"]:
        assert len(run["best"]) == 3
        assert run["best"] == sorted(run["best"], reverse=True), "the best log loss so far only falls"
        assert run["seconds"] == sorted(run["seconds"])
    random, tpe = table["table"]
    assert random["difference"] is None
    assert tpe["difference"] == pytest.approx(tpe["remeasured"] - random["remeasured"])
    assert found.plain["best"] is None


@pytest.fixture
def failing(monkeypatch):
    """Methods of which one proposes nothing that can be trained and another breaks in its second search."""
    from aurify.study import tune as tuning
    from aurify.study.search import Begin, Wait

    begun = []

    def hopeless(plan):
        yield Begin({**plan.space.defaults, "optimizer.learning_rate": 1000.0}, "hopeless")

    def breaking(plan):
        begun.append(plan)
        yield Begin(plan.space.defaults, "breaking")
        if len(begun) == 2:
            raise ZeroDivisionError("a matrix\nthat is singular")
        yield Wait(0)

    monkeypatch.setattr(tuning, "METHODS", {**tuning.METHODS, "grid": hopeless, "random": hopeless, "bayes": breaking})


def test_a_method_that_fails_is_told_with_its_reason_and_the_others_are_compared(tune, tmp_path, failing):
    recipe = {**TINY, "optimizer": {"name": "sgd", "learning_rate": 0.01}}
    words = {"compare": ["bayes", "grid", "tpe"], "repeats": 2, "trials": 2, "recipe": recipe}
    found = tune("regress", out=tmp_path / "run", **words)
    compared = found.plain["compare"]
    bayes, grid, tpe = compared["table"]
    assert bayes["reason"] == "ZeroDivisionError: a matrix"
    assert grid["reason"].startswith("none of its trials could be trained: ")
    assert bayes["remeasured"] is grid["remeasured"] is bayes["seconds"] is None
    assert tpe["reason"] is None
    assert tpe["remeasured"] is not None
    assert compared["reference"] == "tpe"
    assert [(run["method"], run["repeat"]) for run in compared["runs"]] == [("bayes", 1), ("tpe", 1), ("tpe", 2)]
    assert "ZeroDivisionError: a matrix" in found.report.read_text()
    with pytest.raises(AurifyError, match="no method could be compared; grid: none of its trials could be trained"):
        tune("regress", out=tmp_path / "none", **{**words, "compare": ["grid", "random"]})


@pytest.mark.slow
def test_an_ensemble_is_one_file_of_several_recipes(tune, tmp_path, csv_files):
    found = tune(out=tmp_path / "run", trials=8, method="auto", metric="log_loss")
    one = tune(out=tmp_path / "alone", trials=8, method="auto", metric="log_loss", ensemble=False)
    assert one.plain["ensemble"] is None
    assert [t["score"] for t in trials(found.path)] == [t["score"] for t in trials(one.path)]
    if found.plain["ensemble"] is not None:
        assert found.plain["ensemble"]["score"] <= found.plain["picked"]
        assert len(found.bundle.members) > 3
    again = aurify.load(found.path / "model.aurify")
    assert again.predict(csv_files["classify"]).equals(found.predict(csv_files["classify"]))


def test_named_knobs_are_all_that_auto_changes(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=4, method="auto")
    assert found.listed[0]["settings"] == {name: axis["default"] for name, axis in found.plain["space"].items()}
    assert {str(trial["parts"]) for trial in found.listed} == {str(found.listed[0]["parts"])}
    assert found.listed[0]["parts"]["network"] == "mlp"


def test_a_trial_that_fails_is_told_and_the_others_go_on(tune, tmp_path):
    space = {"optimizer.learning_rate": [0.01, 1000.0], "network.width": [8, 9]}
    recipe = {**TINY, "optimizer": {"name": "sgd", "learning_rate": 0.01}}
    found = tune("regress", out=tmp_path / "run", trials=4, method="grid", knobs=(), space=space, recipe=recipe)
    states = {trial["number"]: trial for trial in trials(found.path)}
    failed = [t for t in states.values() if t["settings"]["optimizer.learning_rate"] == 1000.0]
    assert failed
    assert all(t["state"] == "failed" and t["reason"] for t in failed)
    assert all(t["state"] == "complete" for t in states.values() if t not in failed)
    assert not [t["reason"] for t in failed if str(found.path) in t["reason"]], "nothing lasts that it could name"
    assert len(models(found.path)) == 3 * (4 - len(failed)) + 3
    assert models(found.path, "diverged.json") == models(found.path, "checkpoints") == set()


@pytest.fixture
def unfit(monkeypatch):
    """Return a function that has no recipe be made of some settings."""
    from aurify.study.space import Space

    make = Space.made

    def refuse(of):
        def made(self, settings):
            if of(settings):
                raise AurifyError("these do not go together")
            return make(self, settings)

        monkeypatch.setattr(Space, "made", made)

    return refuse


@pytest.mark.slow
@pytest.mark.parametrize("method", ["auto", "hyperband", "tpe"])
def test_settings_that_mean_no_recipe_are_a_trial_that_failed(tune, tmp_path, unfit, method):
    unfit(lambda settings: settings["network.width"] > 40 and settings["network.width"] % 2)
    found = tune(out=tmp_path / "run", method=method, trials=12)
    failed = [trial for trial in found.listed if trial["state"] == "failed"]
    assert failed
    assert {trial["reason"] for trial in failed} == {"these do not go together"}
    assert all(trial["settings"]["network.width"] % 2 for trial in failed)
    assert len(found.listed) == 12


def test_a_search_in_which_nothing_can_be_made_ends_in_its_time(tune, tmp_path, unfit):
    unfit(lambda settings: True)
    with pytest.raises(AurifyError, match="none could be trained: these do not go together"):
        tune(out=tmp_path / "run", trials=None, seconds=3.0, knobs=["network.width"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"trials": None}, "--time 5m, or --trials"),
        ({"trials": 0}, "--trials 0"),
        ({"folds": 1}, "--inner 1"),
        ({"method": "magic"}, "no such method"),
        ({"method": "bays"}, "did you mean 'bayes'"),
        ({"knobs": ["network.wdth"]}, "network.width"),
        ({"metric": "auc"}, "roc_auc"),
        ({"metric": "rmse"}, "no such metric here"),
        ({"objectives": ["roc_auc"]}, "two or more"),
        ({"objectives": ["latency", "roc_auc"]}, "a metric first"),
        ({"objectives": ["roc_auc", "latncy"]}, "latency"),
        ({"compare": ["random"]}, "two methods"),
        ({"compare": ["random", "random"]}, "two methods"),
        ({"compare": ["random", "tpe"], "seconds": 5.0}, "--time"),
        ({"seconds": -1.0}, "--time"),
        ({"space": "nowhere.yaml"}, "nowhere.yaml"),
        ({"space": {"network.width": "wide"}}, "network.width"),
        ({"storage": "mysql://me@here/db"}, "mysql"),
    ],
)
def test_words_that_mean_nothing_are_one_line_and_leave_nothing(tune, tmp_path, words, said):
    with pytest.raises(AurifyError, match=said) as caught:
        tune(out=tmp_path / "run", **words)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "search" / "trainings.jsonl").exists()


def test_a_finished_fit_is_not_replaced(tune, tmp_path, csv_files):
    run = workbench.fit(csv_files["classify"], "y", recipe=TINY, inspect=False, out=tmp_path / "run")
    with pytest.raises(AurifyError, match="no search"):
        tune(out=run.path)
    found = tune(run.path, None, recipe=None, out=tmp_path / "tuned", trials=2)
    assert found.bundle.recipe.network.name() == "mlp"


@pytest.mark.slow
def test_what_was_measured_of_the_best_stays_where_it_was_not_the_first(tune, tmp_path):
    """The same call tells every trial again: none that was beaten may take the place of the best on the way."""
    found = tune(out=tmp_path / "run", trials=4, seed=3)
    assert found.plain["best"]["number"] > 0, "the winner must have been beaten to for this to say anything"
    workbench.evaluate(found.path)
    own = ("model.aurify", "recipe.yaml", "scores.json")
    before = {name: (found.path / name).read_bytes() for name in own}
    again = tune(out=tmp_path / "run", trials=4, seed=3)
    assert {name: (again.path / name).read_bytes() for name in own} == before


def test_the_recipe_of_the_first_trial_is_kept_by_the_same_call(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=1)
    recipe = (found.path / "recipe.yaml").read_bytes()
    assert recipe != (found.path / "search" / "recipe.yaml").read_bytes()
    tune(out=tmp_path / "run", trials=1)
    assert (found.path / "recipe.yaml").read_bytes() == recipe


@pytest.mark.parametrize("at", ["remeasured", "nested"])
def test_a_signal_after_the_search_leaves_what_was_found(tune, tmp_path, monkeypatch, at):
    """Ctrl-C while the winner is measured: the model is there already, and so are the trials."""
    from aurify.study.tune import Tuner
    from aurify.workbench import hunting

    def stopped(*words):
        signal.raise_signal(signal.SIGINT)
        words[0].check()

    monkeypatch.setattr(*((Tuner, "remeasured") if at == "remeasured" else (hunting, "nested")), stopped)
    found = tune(out=tmp_path / "run", trials=2, nested=True)
    assert found.plain["interrupted"] == signal.SIGINT
    assert (found.plain["remeasured"] is None) == (at == "remeasured")
    assert found.plain["nested"] is None
    assert found.bundle.members
    assert found.report.exists()


def test_what_is_undefined_on_fresh_folds_is_told_as_unknown(tune, tmp_path, monkeypatch):
    """As where a fold of whole groups holds one class only: the trials were scored, their folds were others."""
    from aurify.study import tune as tuning

    monkeypatch.setattr(tuning, "mean_of_folds", lambda *words, **more: (float("nan"),) * 3)
    found = tune(out=tmp_path / "run", trials=1)
    again = found.plain["remeasured"]
    assert (again["value"], again["low"], again["high"]) == (None, None, None)
    compared = tune(out=tmp_path / "compared", trials=1, compare=["random", "tpe"], repeats=2)
    assert compared.plain["compare"]["table"][1]["difference"] is None
    assert compared.report.exists()


def models(folder, pattern="*"):
    """Places of trainings that have files of their own, such as ``model.aurify``."""
    return {path.parent.name for path in (folder / "search" / "models").glob(f"*/{pattern}")}


def told(folder):
    """The trials and what was found, without clocks."""
    clocks = ("told", "seconds", "latency", "values", "rungs", "wall")
    plain = json.loads((folder / "tuning.json").read_text())
    found = [
        {
            **{name: value for name, value in trial.items() if name not in clocks},
            "rungs": [(rung["share"], rung["score"]) for rung in trial["rungs"]],
        }
        for trial in trials(folder)
    ]
    return found, {name: plain[name] for name in ("best", "picked", "remeasured", "nested", "ensemble")}


def lines(folder):
    """The keys of all trainings that were kept."""
    return [json.loads(line)["key"] for line in (folder / "search" / "trainings.jsonl").read_text().splitlines()]


@pytest.fixture
def made(monkeypatch):
    """The trainings that are made from now on."""
    from aurify.study import worker

    measure, found = worker.measure, []
    monkeypatch.setattr(worker, "measure", lambda *given: found.append(given[-1]) or measure(*given))
    return found


def test_files_are_kept_of_the_best_trials_only(tune, tmp_path, monkeypatch):
    """The fourth and fifth are worse than the third when they are told, and so never among the best."""
    from aurify.workbench import hunting

    monkeypatch.setattr(hunting, "KEPT", 1)
    found = tune(out=tmp_path / "run", trials=5, seed=3)
    assert found.plain["best"]["number"] == 2
    assert len(models(found.path, "model.aurify")) == 3
    assert len(models(found.path)) == 6, "its three folds, and the three fresh ones"


@pytest.mark.slow
def test_a_bracket_that_is_full_leaves_files_of_whole_trials_only(tune, tmp_path, made):
    """One trial less, and others may go on when there is one more: their files stay, and spare work."""
    words = {"out": tmp_path / "run", "method": "hyperband"}
    partly = tune(trials=8, **words)
    assert len([trial for trial in partly.listed if trial["state"] == "pruned"]) == 7
    assert len(models(partly.path, "checkpoints")) == 7 * 3
    made.clear()
    whole = tune(trials=9, **words)
    assert [trial["state"] for trial in whole.listed].count("complete") == 1
    assert len(models(whole.path, "model.aurify")) == 3
    assert len(models(whole.path)) == 6, "the folds of the one that is whole, and the fresh ones"
    made.clear()
    before = told(whole.path)
    tune(trials=9, **words)
    assert told(whole.path) == before
    assert made == []


SAME = {
    "pruned": {"method": "hyperband", "trials": 14},
    "same recipes": {"method": "hyperband", "trials": 18, "knobs": (), "space": {"dropout.rate": [0.0, 0.1]}},
    "outer folds": {"method": "random", "trials": 3, "nested": True},
    "ensemble": {"method": "auto", "trials": 4, "nested": True, "metric": "log_loss"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME)
def test_what_is_removed_would_have_changed_nothing_and_is_not_made_again(tune, tmp_path, monkeypatch, made, name):
    from aurify.study.tune import Tuner

    found = tune(out=tmp_path / "run", **SAME[name])
    count, before = len(made), told(found.path)
    made.clear()
    tune(out=tmp_path / "run", **SAME[name])
    assert made == []
    assert told(found.path) == before
    kept = len(models(found.path))
    for way in ("_forget", "clear"):
        monkeypatch.setattr(Tuner, way, lambda *words: None)
    whole = tune(out=tmp_path / "whole", **SAME[name])
    assert told(whole.path) == before
    assert len(made) == count
    assert kept < len(models(whole.path)) or name == "same recipes", "each of the two was trained to its end once"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pruned", "outer folds"])
def test_stopped_again_and_again_it_ends_as_if_it_never_was(tune, tmp_path, made, name):
    unbroken = tune(out=tmp_path / "unbroken", **SAME[name])
    made.clear()

    for at in (10, 30, 42):
        left = [signal.SIGINT]

        def stopping(*words, at=at, left=left):
            if len(made) >= at and left:
                signal.raise_signal(left.pop())

        found = tune(out=tmp_path / "run", progress=stopping, **SAME[name])
        assert found.bundle.members
        assert len(models(found.path, "model*")) >= 3
    tune(out=tmp_path / "run", **SAME[name])
    assert told(tmp_path / "run") == told(unbroken.path)
    assert (tmp_path / "run" / "model.aurify").read_bytes() == (unbroken.path / "model.aurify").read_bytes()
    assert models(tmp_path / "run") == models(unbroken.path)
    assert sorted(lines(tmp_path / "run")) == sorted(lines(unbroken.path)), "each was made once"


@pytest.mark.slow
def test_of_an_outer_fold_its_answers_are_kept_and_no_models(tune, tmp_path):
    found = tune(out=tmp_path / "run", trials=3, nested=True)
    assert len(models(found.path, "model.aurify")) == 3 * 3, "of the search itself"
    assert len(models(found.path)) == 3 * 3 + 3 + 3, "the fresh folds, and an outer fold each"


@pytest.mark.slow
def test_of_methods_that_are_compared_fresh_answers_are_kept_and_no_models(tune, tmp_path, made):
    words = {"out": tmp_path / "run", "compare": ["random", "hyperband"], "trials": 4, "repeats": 2}
    found = tune(**words)
    assert models(found.path, "model*") == models(found.path, "checkpoints") == set()
    assert 6 <= len(models(found.path)) <= 12, "three fresh folds a repeat, of the winners that differ"
    made.clear()
    again = tune(**words)
    assert again.plain["compare"] == found.plain["compare"]
    assert made == []


@pytest.mark.slow
def test_a_part_of_a_training_never_takes_the_place_of_a_whole_one(tune, tmp_path, monkeypatch):
    """Scores of parts are made to look best: the second bracket begins with some when a whole one is saved already."""
    from aurify.study import worker
    from aurify.workbench.hunting import Saver

    measure, ship, shares = worker.measure, Saver.ship, []

    def flattering(*given):
        found = measure(*given)
        return {**found, "scores": dict.fromkeys(found["scores"], 1e-6)} if given[-2] < 1 else found

    def shipped(self, data, search):
        shares.append(search.best.share)
        ship(self, data, search)

    monkeypatch.setattr(worker, "measure", flattering)
    monkeypatch.setattr(Saver, "ship", shipped)
    found = tune(out=tmp_path / "run", method="hyperband", trials=12)
    assert {trial["state"] for trial in found.listed} == {"complete", "pruned"}
    assert set(shares) == {1.0}
    assert found.plain["best"]["score"] > 1e-6
