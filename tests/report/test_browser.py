"""Reports in a real browser: no errors, nothing cut off, in every language, light, dark, on paper, by keyboard."""

import re
import shutil

import numpy as np
import polars as pl
import pytest
from found import record
from ledgers import inspection, ledger
from tunings import inspection as searched
from tunings import trials, whole

from aurify import workbench
from aurify.core.words import LANGUAGES
from aurify.report.page import render

SMALL = {"budget.steps": 24, "budget.batch_size": 32, "budget.validate_every": 4, "network.width": 16}
WIDTHS = (360, 1280)
KINDS = ("two", "many", "number", "texts", "images")
PAGES = (*KINDS, "agents", "data", "ledger", "tuning")


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium here (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def frame(kind):
    """Names that are long, Chinese or hostile, some cells missing, a target of each kind."""
    if kind == "texts":
        return texts()
    if kind == "images":
        return images()
    random = np.random.default_rng(5)
    numbers = random.normal(size=(300, 2))
    words = random.choice(["红色", "绿色", "<b>蓝</b>"], 300)
    value = numbers[:, 0] + (words == "红色") + 0.3 * random.normal(size=300)
    targets = {
        "two": np.where(value > 0.3, "yes & <i>", "no"),
        "many": np.digitize(value, [-0.8, -0.2, 0.3, 0.8, 1.4]).astype(str),
        "number": value,
    }
    return pl.DataFrame(
        {
            "a.b[0]": numbers[:, 0],
            "<script>alert(1)</script>": np.where(random.random(300) < 0.1, np.nan, numbers[:, 1]),
            "列名很长" * 20: words,
            "when": pl.Series(random.integers(0, 1000, 300) * 86400).cast(pl.Datetime("ms")),
            "y": targets[kind],
        }
    )


def texts():
    """Sentences that are Chinese, turned to the left, hostile, endless or empty, beside a number."""
    random = np.random.default_rng(5)
    said = [
        "很好",
        "太差",
        "房间",
        "服务",
        "，",
        " ",
        "<script>alert(1)</script>",
        "</p>",
        "مرحبا",
        "\u202eevil",
        "\x07",
        "👨‍👩‍👧",
    ]
    rows = ["".join(random.choice(said, random.integers(0, 40))) for _ in range(300)]
    rows[:3] = ["x" * 3000, "好" * 3000, "{x} %s \\u003c" * 20]
    value = np.array([row.count("很好") - row.count("太差") for row in rows])
    return pl.DataFrame(
        {"<b>评论</b>": rows, "n": random.normal(size=300), "y": np.where(value > 0, "好评", "<i>差</i>")}
    )


def images():
    """Narrow images beside a number, of classes whose names are Chinese, hostile or long."""
    random = np.random.default_rng(5)
    pixels = random.integers(0, 100, (120, 24, 9, 3)).astype(np.uint8)
    kind = random.integers(0, 3, 120)
    for image, at in zip(pixels, kind, strict=True):
        image[4 : 4 + 5 * (at + 1), 2:7, at] += 120
    names = np.array(["红色", "<script>alert(1)</script>", "a-class-whose-name-goes-on-" * 4])
    kind = np.where(random.random(120) < 0.1, (kind + 1) % 3, kind)
    picture = pl.Series(pixels, dtype=pl.Array(pl.UInt8, pixels.shape[1:]))
    return pl.DataFrame({"<b>图</b>": picture, "n": random.normal(size=120), "y": names[kind]})


def fitted(kind, out):
    using = ["flip", "translate", "mixup"] if kind == "images" else []
    return workbench.fit(frame(kind), "y", settings=SMALL, using=using, out=out)


def agents(out):
    """Three of them, which have hardly learnt to cross a grid with traps."""
    settings = {"task.held": 3, "task.tested": 6}
    return workbench.fit("aurify/GridWorld-v0", method="q_learning", seeds=3, steps=16000, settings=settings, out=out)


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The report of each kind of target and of agents in each language, of data only inspected, a ledger, a search."""
    root = tmp_path_factory.mktemp("pages")
    found = {}
    for kind in (*KINDS, "agents"):
        run = agents(root / kind) if kind == "agents" else fitted(kind, root / kind)
        for language in LANGUAGES:
            found[kind, language] = run.report(language, root / f"{kind}.{language}.html")
    for language in LANGUAGES:
        found["data", language] = root / f"data.{language}.html"
        found["data", language].write_text(render(record(language)), encoding="utf-8")
        found["ledger", language] = root / f"ledger.{language}.html"
        found["ledger", language].write_text(render(inspection(ledger(), language)), encoding="utf-8")
        made = trials()
        found["tuning", language] = root / f"tuning.{language}.html"
        found["tuning", language].write_text(render(searched(whole(made), made, language)), encoding="utf-8")
    return found


@pytest.fixture
def visit(browser):
    """Return a function that opens a report, waits for its charts and notes what went wrong."""
    opened = []

    def open_page(path, **looks):
        page = browser.new_page(**looks)
        page.wrongs = []
        page.on("console", lambda message: page.wrongs.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.wrongs.append(str(error)))
        page.on("request", lambda request: page.wrongs.append(request.url) if request.url[:4] == "http" else None)
        page.goto(path.as_uri())
        if looks.get("java_script_enabled", True):
            page.wait_for_selector("body[data-drawn]")
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.close()


CUT_OFF = """() => [...document.querySelectorAll("body *")]
    .filter(e => !e.closest(".wide, pre, .skip, svg, #vg-tooltip-element") && e.scrollWidth > e.clientWidth + 1
                 && e.clientWidth > 0 && getComputedStyle(e).display !== "inline")
    .map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 60))"""

CHARTS_CUT_OFF = """() => [...document.querySelectorAll(".chart svg")].flatMap(svg => {
    const box = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const at = text.getBoundingClientRect();
        return at.width && (at.left < box.left - 2 || at.right > box.right + 2 || at.bottom > box.bottom + 2);
    }).map(text => svg.closest("figure").id + ": " + text.textContent);
})"""


SAID = """() => {
    document.querySelectorAll("details").forEach(details => details.open = true);
    const places = document.querySelectorAll("main :is(h2, p, th, td, caption, figcaption, summary, text), nav");
    const labels = [...document.querySelectorAll("[aria-label]")].map(e => e.getAttribute("aria-label"));
    return [...places].filter(e => !e.querySelector("pre, code")).map(e => e.textContent).concat(labels);
}"""


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", PAGES)
def test_nothing_goes_wrong_and_nothing_is_cut_off(pages, visit, kind, language):
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            page = visit(pages[kind, language], viewport={"width": width, "height": 900}, color_scheme=scheme)
            assert page.wrongs == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CUT_OFF) == []
            assert page.evaluate(CHARTS_CUT_OFF) == []
            drawn = page.evaluate(
                "[...document.querySelectorAll('.chart')].filter(c => !c.closest('details:not([open])'))"
                ".map(c => c.querySelectorAll('svg').length)"
            )
            assert set(drawn) == {1}


@pytest.mark.parametrize("kind", PAGES)
def test_charts_have_texts_for_those_who_do_not_see_them(pages, visit, kind):
    page = visit(pages[kind, "en"])
    texts = page.evaluate(
        "[...document.querySelectorAll('.chart')].map(c => [c.parentElement.role, c.parentElement.ariaLabel])"
    )
    assert texts
    assert all(role == "img" and len(text) > 20 for role, text in texts)


def test_dark_is_dark_and_paper_is_white(pages, visit):
    page = visit(pages["two", "en"], color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    label = "getComputedStyle(document.querySelector('.chart svg text')).fill"
    assert page.evaluate(paper) == "rgb(18, 22, 29)"
    dark = page.evaluate(label)
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.evaluate(label) != dark
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 with margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 718


@pytest.mark.slow
def test_keyboard_reaches_everything_that_opens_or_scrolls(pages, visit):
    page = visit(pages["two", "en"], viewport={"width": 360, "height": 800})
    wanted = page.evaluate("document.querySelectorAll('a, summary, .wide, pre').length")
    seen = set()
    for _ in range(wanted * 3):
        page.keyboard.press("Tab")
        at = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY" and at not in seen:
            before = page.evaluate("document.activeElement.parentElement.open")
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open") is not before
            if before:
                page.keyboard.press("Enter")  # closed ones would hide the rest
        seen.add(at)
    focusable = page.evaluate(
        "[...document.querySelectorAll('*')].map((e, at) => e.matches('a, summary, .wide, pre') ? at : -1)"
        ".filter(at => at >= 0)"
    )
    assert set(focusable) <= seen


def test_numbers_can_be_read_without_javascript(pages, visit):
    page = visit(pages["two", "en"], java_script_enabled=False)
    assert "ROC AUC" in page.inner_text("main")
    assert page.locator("table").count() > 1


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        *((kind, "区间") for kind in (*KINDS, "agents")),
        ("data", "严重"),
        ("ledger", "测不出差异"),
        ("tuning", "重新测量"),
    ],
)
def test_no_english_sentence_is_left_in_chinese(pages, visit, kind, word):
    """Names of settings and metrics may be English; four plain words in a row are a sentence."""
    page = visit(pages[kind, "zh"])
    said = page.evaluate(SAID)
    assert any(word in text for text in said)
    sentence = re.compile(r"(?:[A-Za-z'-]{2,} ){3,}[A-Za-z'-]{2,}")
    assert [found[0] for text in said if (found := sentence.search(text))] == []


def test_texts_are_marked_by_colour_and_line_and_stay_texts(pages, visit):
    page = visit(pages["texts", "en"], color_scheme="dark")
    assert "<script>alert(1)</script>" in page.inner_text("#explained_texts")
    assert page.locator("#explained_texts script").count() == 0
    looks = page.evaluate(
        "[...document.querySelectorAll('.words span')].map(getComputedStyle)"
        ".map(s => [s.backgroundColor, s.borderBottomStyle, s.borderBottomWidth])"
    )
    assert {style for _, style, _ in looks} == {"solid", "dashed"}
    assert all(colour != "rgba(0, 0, 0, 0)" and float(width[:-2]) >= 1 for colour, _, width in looks)
    shown = page.inner_text("#explained_texts")
    assert not set(shown) & {"\u202e", "\x07"}, "what turns or rings is named, not done"


def test_images_are_drawn_as_they_are_said_to_be(pages, visit):
    page = visit(pages["images", "en"], color_scheme="dark")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.strip img')].map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 0,"
        " Math.abs(i.clientWidth / i.clientHeight - i.naturalWidth / i.naturalHeight) < 0.1 * i.clientWidth])"
    )
    assert len(sizes) > 60
    assert all(map(all, sizes)), "each is decoded, has a text, and keeps its shape"
    assert page.locator("main script").count() == 0
    assert page.locator("#explained_images .card").count() > 4


def test_texts_beside_other_columns_are_no_column_of_single_signs(pages, visit):
    page = visit(pages["texts", "zh"], viewport={"width": min(WIDTHS), "height": 900})
    widths = page.evaluate(
        "[...document.querySelectorAll('main td')].filter(cell => cell.clientWidth &&"
        " cell.textContent.length > 60 && !cell.closest('.card')).map(cell => cell.clientWidth)"
    )
    assert widths
    assert min(widths) >= 200


def test_hostile_names_are_text(pages, visit):
    page = visit(pages["two", "en"])
    assert "<script>alert(1)</script>" in page.inner_text("main")
    assert page.wrongs == []
    assert "unsafe-eval" not in page.get_attribute("meta[http-equiv]", "content")
