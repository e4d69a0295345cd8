import pytest

from aurify.data.languages import language_of, languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("这个酒店的房间很干净，服务也不错。", "zh"),
        ("刚买的iPhone屏幕就坏了，客服不理人", "zh"),
        ("這個酒店的房間很乾淨", "zh"),
        ("a gorgeous , witty , seductive movie .", "en"),
        ("What is the capital of Yugoslavia ?", "en"),
        ("naïve but charming café scenes that work", "en"),
        ("La película es muy buena pero demasiado larga", "other"),
        ("Der Film ist nicht schlecht, aber viel zu lang", "other"),
        ("このホテルはとても綺麗でした", "other"),
        ("호텔이 아주 깨끗했어요", "other"),
        ("Очень хороший отель, рекомендую", "other"),
        ("فندق جميل جدا", "other"),
        ("The room was nice 但是早餐很差", "mixed"),
        ("", "none"),
        ("12345 !!! 👍👍 \x00", "none"),
        ("\ud800", "none"),
    ],
)
def test_the_language_is_told_by_script_and_common_words(text: str, language: str):
    assert language_of(text) == language


def test_languages_are_counted_the_most_frequent_first():
    assert list(languages(["很好", "good", "不错", "", "nice"]).items()) == [("zh", 2), ("en", 2), ("none", 1)]


def test_a_very_long_text_is_told_by_its_beginning():
    assert language_of("好" * 5_000 + "word " * 1_000_000) == "zh"
