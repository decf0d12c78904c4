import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchers.text import fold, other_readings, read

FOLDS = [
    # name, text, folded words
    ("capitals", "МИНСК Łódź", "минск łódź"),
    ("ё is е", "Королёв", "королев"),
    ("й is not и", "мой", "мой"),
    ("ў is у", "ва ўніверсітэце", "ва універсітэце"),
    ("punctuation", "«Минск», (Брест)!", "минск брест"),
    ("full stops", "Минск. Брест.", "минск брест"),
    ("apostrophes", "м’ясо мʼясо м`ясо", "м'ясо м'ясо м'ясо"),
    ("quoted in apostrophes", "'Минск' ‘Брест’", "минск брест"),
    ("stress mark", "за\u0301мок", "замок"),
    ("decomposed letters", "и\u0306од е\u0308ж", "йод еж"),
    ("soft hyphen", "Мин\u00adск", "минск"),
    ("zero width", "\u200bМин\u200b\u200cск\ufeff", "минск"),
    ("emoji glued on", "⚡️Минск🔥", "минск"),
    ("a family of emoji", "👨‍👩‍👧Минск", "минск"),
    ("full width", "Ｍｉｎｓｋ", "minsk"),
    ("mathematical bold", "𝐌𝐢𝐧𝐬𝐤", "minsk"),
    ("hyphens", "Брест‑Литовск Брест–Литовск", "брест-литовск брест-литовск"),
]


@pytest.mark.parametrize(("text", "folded"), [c[1:] for c in FOLDS], ids=[c[0] for c in FOLDS])
def test_fold(text, folded):
    assert " ".join(read(text).folded.split()) == folded


@given(st.text())
def test_folding_never_changes_the_length(text):
    assert len(fold(text)) == len(text)


@given(st.text(st.characters() | st.sampled_from("\u0301\u0306\u200b\u00ad\ufe0fиеé'. ")))
def test_every_folded_word_has_a_span_in_the_text(text):
    reading = read(text)

    for word in re.finditer(r"\S+", reading.folded):
        span = reading.span(*word.span(), text)
        assert 0 <= span.start < span.end <= len(text)


@given(st.text(st.sampled_from("абвгд -.\u0301\u200bЁї")))
def test_a_span_folds_to_what_stands_in_the_reading(text):
    reading = read(text)

    for word in re.finditer(r"[а-яї]+", reading.folded):
        span = reading.span(*word.span(), text)
        assert read(text[span.start : span.end]).folded.strip() == word[0]


OTHER = [
    # name, text, the words of the other reading
    ("CamelCase", "#БелаяРусь", ["Белая", "Русь"]),
    ("capitals first", "#БЧСтанция", ["БЧ", "Станция"]),
    ("a number", "#Минск2024", ["Минск", "2024"]),
    ("a broken word", "Барано-\nвичи тут", ["Барано-\nвичи", "тут"]),
]


@pytest.mark.parametrize(("text", "words"), [c[1:] for c in OTHER], ids=[c[0] for c in OTHER])
def test_other_readings_point_into_the_text(text, words):
    [reading] = other_readings(text)

    spans = [reading.span(*w.span(), text) for w in re.finditer(r"\S+", reading.folded)]

    assert [text[s.start : s.end] for s in spans] == words


@pytest.mark.parametrize("text", ["#Минск", "#НАТО", "слово - слово", "10-\n12", ""])
def test_nearly_every_text_has_one_reading(text):
    assert other_readings(text) == []
