"""Checks of values: what is planted in a table is found and named, and its clean counterpart is left alone."""

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from seeing import only

import aurify
from aurify.data.findings import NOTE, WARNING
from aurify.inspection.characters import escaped, mended
from aurify.inspection.gaps import chance_of
from aurify.inspection.tails import apart_above
from aurify.workbench.inspecting import inspect

ROWS = 400
OWN = (
    *("cardinality", "column_names", "constant", "free_text", "ids", "impossible_dates", "missing", "missing_codes"),
    *("missing_tells", "mixed_types", "near_constant", "nested", "numbers_as_text", "odd_characters", "outliers"),
    "spellings",
)


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, *OWN)


@pytest.fixture
def random():
    return np.random.default_rng(11)


@pytest.fixture
def heights(random):
    return random.normal(170, 8, ROWS)


def looked(column, **more):
    return inspect(pl.DataFrame({"x": column, "filler": np.sin(np.arange(len(column)) ** 2), **more}))


def one(found, check, column="x"):
    (finding,) = found.where(check=check, column=column)
    return finding


def with_odd(values, *odd):
    return [*odd, *list(values)[len(odd) :]]


def texts(values):
    return [f"{value:.2f}" for value in values]


def warned(found):
    return [(f.check, f.columns) for f in found.warnings if f.check in OWN]


def test_missing_cells_are_counted_with_the_texts_they_were_written_in(heights):
    found = one(looked(with_odd(texts(heights), "?", "?", "", "n.a.")), "missing")
    assert (found.severity, found.count, found.rows) == (NOTE, 4, (0, 1, 2, 3))
    assert found.evidence["written"] == {"?": 2, "": 1, "n.a.": 1}
    half = [None if n % 2 == 0 or n == 1 else h for n, h in enumerate(heights)]
    assert one(looked(half), "missing").severity == WARNING


def test_columns_missing_together_and_in_stretches_are_told(heights):
    gap = np.arange(ROWS) < 60
    late = [None if g else h for g, h in zip(gap, heights, strict=True)]
    apart = [None if n % 9 == 0 else h for n, h in enumerate(heights)]
    frame = pl.DataFrame({"a": late, "b": [*late[:59], 1.0, *late[60:]], "c": apart, "d": heights})
    several = [f for f in inspect(frame) if f.check == "missing"]
    assert [f.columns for f in several if "the same 59 rows" in f.text] == [("a", "b")]
    assert [set(f.columns) for f in several if "stretches of the file" in f.text] == [{"a", "b"}]


def test_gaps_that_tell_the_target_are_told_and_others_are_not(random, heights):
    target = random.integers(0, 2, ROWS)
    tells = [None if y and n % 3 == 0 else h for n, (y, h) in enumerate(zip(target, heights, strict=True))]
    chance = [None if hidden else h for hidden, h in zip(random.random(ROWS) < 0.2, heights, strict=True)]
    for y in (target, target * 5.0 + random.normal(size=ROWS)):
        found = inspect(pl.DataFrame({"x": tells, "z": chance, "y": y}), "y").where(check="missing_tells")
        assert [f.columns for f in found] == [("x",)]


@pytest.mark.parametrize("code", [-999, 9999, -1, 99999])
def test_codes_of_missing_values_are_found_and_their_mend_takes_them_out(heights, code):
    found = looked(with_odd(heights, *[float(code)] * 4))
    finding = one(found, "missing_codes")
    assert (finding.severity, finding.count) == (WARNING, 4)
    assert finding.mend == {"source": {"missing": [str(code)]}}
    assert not found.where(check="outliers").warnings
    again = inspect(pl.DataFrame({"x": with_odd(heights, *[float(code)] * 4), "z": heights}), missing=[str(code)])
    assert not warned(again)


def test_a_code_that_another_column_means_is_not_taken_from_it(random, heights):
    finding = one(looked(with_odd(heights, *[999.0] * 4), z=np.arange(ROWS) * 3.0), "missing_codes")
    assert finding.mend == {}
    assert "'z'" in finding.fix


@pytest.mark.parametrize("odd", [(1700.0,), (1.7, 1.8), (0.0,), (-160.0,), (1e300,), (1650.0, 1750.0, 1701.0) * 5])
def test_isolated_values_are_found_with_their_rows(heights, odd):
    finding = one(looked(with_odd(heights, *odd)), "outliers")
    assert finding.severity == WARNING
    assert sorted(finding.rows) == list(range(len(odd)))
    assert finding.mend == {"techniques": {"clip_outliers": {}}}


def test_impossible_ages_are_found(random):
    ages = np.clip(np.round(random.normal(38, 13, 1000)), 17, 90)
    for odd in (200.0, -5.0):
        assert one(looked(with_odd(ages, odd)), "outliers").rows == (0,)


def test_long_tails_are_no_isolated_values(random):
    draws = {
        "normal": random.standard_normal,
        "lognormal": lambda n: random.lognormal(0, 2, n),
        "pareto": lambda n: random.pareto(1.5, n),
        "counts": lambda n: random.poisson(0.4, n).astype(float),
        "zeros": lambda n: np.where(random.random(n) < 0.8, 0.0, random.exponential(size=n)),
    }
    for name, draw in draws.items():
        alarms = sum(apart_above(draw(300), 0.02) is not None for _ in range(100))
        assert alarms <= 3, name


def test_words_among_numbers_are_counted_and_reading_does_not_say_it_again(heights):
    found = looked(with_odd(texts(heights), "low", "low", "high"))
    finding = one(found, "numbers_as_text")
    assert (finding.severity, finding.count, finding.evidence["texts"]) == (WARNING, 3, {"low": 2, "high": 1})
    assert not found.where(check="reading")
    worded = looked(with_odd(texts(heights), *["sold out"] * 150))
    assert one(worded, "numbers_as_text").count == 150
    assert not warned(looked(["1", "2", "3", "4+"] * 100))


def test_units_and_signs_that_differ_are_told(heights):
    plain = texts(heights)
    for cells in (
        [f"{v} kg" for v in plain],
        with_odd([f"{v} kg" for v in plain], "300 lb", "310 lb"),
        with_odd(plain, "171 cm"),
        with_odd([f"${v}" for v in plain], "€171"),
        with_odd(plain, "171%"),
        with_odd([f"{v}公斤" for v in plain], "340斤"),
    ):
        assert warned(looked(cells)) == [("mixed_types", ("x",))]
    assert not warned(looked([f"${v}" for v in plain]))
    assert not warned(looked(["12 months", "24 months"] * 200))


def test_two_orders_of_dates_and_dates_beside_numbers_are_told(heights):
    days = [dt.date(2021, 1, 1) + dt.timedelta(days=(7 * n) % 800) for n in range(ROWS)]
    iso = [str(day) for day in days]
    slashed = [f"{day:%d/%m/%Y}" for day in days]
    for cells in (
        slashed[:20] + iso[20:],
        slashed[:200] + iso[200:],
        iso[:9] + texts(heights)[9:],
        ["44197", *iso[1:]],
    ):
        found = looked(cells)
        assert ("mixed_types", ("x",)) in warned(found)
        assert not any("taken as missing" in f.text for f in found.where(check="reading"))
    assert not warned(looked(iso))


def test_dates_that_cannot_be_are_found():
    days = [dt.date(2021, 1, 1) + dt.timedelta(days=(7 * n) % 800) for n in range(ROWS)]
    iso = [str(day) for day in days]
    for odd in ("1900-01-01", "1970-01-01", "9999-12-31", "2321-05-06", "2021-02-30"):
        assert one(looked(with_odd(iso, odd)), "impossible_dates").rows == (0,)
    ends = [day + dt.timedelta(days=3) for day in days]
    finding = one(looked(days, end=with_odd(ends, dt.date(2020, 1, 1))), "impossible_dates")
    assert (finding.columns, finding.rows) == (("end", "x"), (0,))
    assert not warned(looked(days, end=ends))


def test_garbled_and_invisible_characters_are_found_with_their_columns():
    base = ["Café", "Thé", "Lait", "Übergröße"] * 100
    for odd in (
        "Café".encode().decode("latin-1"),
        "don’t".encode().decode("cp1252"),
        "北京市".encode("gbk").decode("latin-1"),
        "上海市区".encode().decode("gb18030"),
        "M\ufffdller",
        "Lait\u200b",
        "\ufeffThé",
    ):
        finding = one(looked(with_odd(base, odd)), "odd_characters")
        assert (finding.severity, finding.rows) == (WARNING, (0,)), odd
    for odd in ("SÃO PAULO", "Ærø", "naïve", "联通", "银行职员（退休）", "می‌خواهم", "👩‍🔬", "Île d’Yeu"):
        assert not looked(with_odd(base, odd)).where(check="odd_characters"), odd
    for odd in ("New\u00a0York", "ＡＢ", "A&amp;B"):
        assert one(looked(with_odd(base, odd)), "odd_characters").severity == NOTE
    assert one(
        inspect(pl.DataFrame({"n\u00c3\u00a9": range(1, 9), "b": [0.5] * 4 + [1.5] * 4})), "odd_characters", "nÃ©"
    )


def test_garbled_texts_are_mended_back():
    for text in ("Café", "don’t", "naïve – Zoë"):
        assert mended(text.encode().decode("cp1252")) == text
        assert mended(text) is None
    assert escaped("é\u200b") == "\\u00e9\\u200b"


def test_spellings_of_one_category_are_found():
    base = ["Married", "Divorced", "Widowed", "New York"] * 100
    for odd in ("married", "ＭARRIED", "Maried", "Mariried", "Marreid", "New  York", "New-York"):
        finding = one(looked(with_odd(base, odd)), "spellings")
        slip = odd in ("Maried", "Mariried", "Marreid")
        assert (finding.severity, finding.count) == (NOTE if slip else WARNING, 1), odd
    clean = (
        ["A+", "A-", "B+", "B"],
        ["Type A", "Type B", "Type C", "Type D"],
        ["1-2", "12", "1.2", "x"],
        ["Iran", "Iraq", "Gambia", "Zambia"],
        ["a", "A", "b", "B"],
        ["<=50K", ">50K"],
    )
    for values in clean:
        assert not looked(values * (ROWS // len(values))).where(check="spellings"), values


def test_every_column_that_is_left_out_is_said_once(heights):
    frame = pl.DataFrame(
        {
            "id": [f"c-{n:05}" for n in range(ROWS)],
            "count": range(ROWS),
            "same": ["x"] * ROWS,
            "empty": pl.Series([None] * ROWS, dtype=pl.String),
            "list": [[n] for n in range(ROWS)],
            "story": [f"it was the night number {n} and nobody knew why" for n in range(ROWS)],
            "h": heights,
        }
    )
    found = inspect(frame, task="table")
    said = {f.columns: f.check for f in found if "left out" in f.text}
    assert said == {
        ("id",): "ids",
        ("count",): "ids",
        ("same",): "constant",
        ("empty",): "constant",
        ("list",): "nested",
        ("story",): "free_text",
    }
    many = inspect(pl.DataFrame({**{f"e{n}": [1] * 50 for n in range(9)}, "h": heights[:50]})).where(check="constant")
    assert [len(f.columns) for f in many] == [9]


def test_ids_that_are_kept_rare_categories_and_nearly_constant_columns_are_noted(random, heights):
    owners = random.integers(0, 150, ROWS)
    frame = pl.DataFrame(
        {
            "serial": random.permutation(10_000)[:ROWS],
            "owner_id": owners,
            "token": [f"{n * 7919:032x}" for n in owners],
            "city": [f"city {n % 300}" if n % 4 else "town" for n in range(ROWS)],
            "flag": np.arange(ROWS) == 7,
            "h": heights,
        }
    )
    found = inspect(frame)
    assert one(found, "ids", "serial").columns == ("serial",)
    assert set(one(found, "ids", "owner_id").columns) == {"token", "owner_id"}
    assert one(found, "cardinality", "city").severity == NOTE
    assert one(found, "near_constant", "flag").severity == NOTE
    assert not warned(found)


def test_names_that_differ_only_in_case_or_blanks_are_noted(heights):
    found = inspect(pl.DataFrame({"Net Pay": heights, "net_pay": heights[::-1], "z" * 120: heights**2}))
    assert [f.columns for f in found.where(check="column_names")] == [("Net Pay", "net_pay"), ("z" * 120,)]


@pytest.mark.slow
def test_columns_that_a_recipe_hides_are_in_no_finding(monkeypatch, random, heights):
    monkeypatch.undo()  # every check
    y = random.normal(size=ROWS)
    hidden = {
        "Net Pay": with_odd(heights, 1e6),
        "net_pay": [None if n % 3 else v for n, v in enumerate(heights)],
        "code": with_odd(heights, *[-999.0] * 4),
        "copy": 2 * y + 1,
        "unit": with_odd(texts(heights), "171 cm", "low"),
        "city": with_odd(["Rome", "Paris"] * (ROWS // 2), "rome", "Pari\u200bs"),
        "same": ["x"] * ROWS,
        "when": with_odd([str(dt.date(2021, 1, 1) + dt.timedelta(days=n)) for n in range(ROWS)], "1900-01-01"),
        "patient_id": np.arange(ROWS) // 4,
        "story": [f"it was the night number {n} and nobody knew why" for n in range(ROWS)],
    }
    frame = pl.DataFrame({**hidden, "a": heights, "b": random.normal(size=ROWS), "y": y})
    seen = {column for f in inspect(frame, "y") if f.check != "reading" for column in f.columns}
    assert len(seen & hidden.keys()) >= len(hidden) - 1, "there is something to say of them"
    recipe = {"techniques": {"exclude_columns": {"columns": list(hidden)}}}
    found = [f for f in inspect(frame, "y", recipe=recipe) if f.check != "reading"]
    assert [f for f in found if hidden.keys() & set(f.columns) or any(repr(name) in f.text for name in hidden)] == []


@pytest.mark.slow
def test_counts_of_few_rows_differ_by_chance_no_more_often_than_is_said(random):
    for shares in ([0.99, 0.01], [0.9, *[0.02] * 5]):
        chances = [
            chance_of(np.stack([random.multinomial(6, shares), random.multinomial(2000, shares)])) for _ in range(2000)
        ]
        assert np.mean(np.array(chances) < 0.01) <= 0.01
    assert chance_of(np.array([[0, 12], [1980, 20]])) < 1e-9


def test_chinese_tables_are_read_and_checked_as_others(tmp_path, heights):
    lines = ["编号,性别,身高,城市"]
    for n, h in enumerate(texts(heights)):
        sex = "男 性" if n == 3 else ("男性", "女性")[n % 2]
        lines.append(
            f"K{n:04},{sex},{'１７０' if n == 5 else '不详' if n == 7 else h},{('北京', '上海', '广州')[n % 3]}"
        )
    path = tmp_path / "表.csv"
    path.write_bytes("\n".join(lines).encode("gb18030"))
    found = inspect(path)
    assert one(found, "ids", "编号").severity == NOTE
    assert one(found, "numbers_as_text", "身高").evidence["texts"] == {"不详": 1}
    assert one(found, "spellings", "性别").rows == (3,)
    assert len(warned(found)) == 2
    assert not any(letter in say for say in found.said("zh") for letter in "{}")


@pytest.mark.slow
def test_odd_types_and_tiny_tables_fail_nowhere(monkeypatch, heights):
    monkeypatch.undo()  # every check
    odd = pl.DataFrame(
        {
            "decimal": [Decimal(n) / 7 for n in range(ROWS)],
            "duration": [dt.timedelta(seconds=n * n) for n in range(ROWS)],
            "clock": [dt.time(n % 24, n % 60) for n in range(ROWS)],
            "moment": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=n * n) for n in range(ROWS)],
            "record": [{"a": n} for n in range(ROWS)],
            "bytes": [b"\xff"] * ROWS,
            "truth": [None if n % 5 == 0 else n % 2 == 0 for n in range(ROWS)],
            "kind": pl.Series(["a", "b", None, "d"] * (ROWS // 4), dtype=pl.Categorical),
            "inf": [float("inf"), float("-inf"), float("nan"), *heights[3:]],
            "huge": [1e308, -1e308, *heights[2:]],
            "{x}": texts(heights),
            "void": [None] * ROWS,
        }
    )
    for frame in (odd, odd.head(1), odd.head(2), odd.clear().vstack(odd.head(3)), odd.head(40)):
        for target in (None, "kind"):
            try:
                found = inspect(frame, target)
            except aurify.core.errors.AurifyError:
                continue
            assert not [f.text for f in found if "please report" in f.text]
    assert not [f for f in inspect(odd) if f.check in OWN and f.severity not in (NOTE, WARNING)]


@pytest.mark.parametrize(
    ("name", "target", "check", "columns"),
    [
        ("telco_churn/Telco-Customer-Churn.csv", "Churn", "ids", {"customerID"}),
        ("telco_churn/Telco-Customer-Churn.csv", "Churn", "missing", {"TotalCharges"}),
        ("adult/adult-train.csv", "column_15", "missing", {"column_2", "column_7", "column_14"}),
    ],
)
def test_known_traps_of_real_tables_are_named(shared_data, name, target, check, columns):
    found = inspect(shared_data(name), target).where(check=check)
    assert {column for f in found for column in f.columns} == columns
    if name.startswith("telco") and check == "missing":
        assert (found[0].count, found[0].evidence["written"]) == (11, {"": 11})
    if name.startswith("adult"):
        assert any("'?'" in f.text for f in found)
