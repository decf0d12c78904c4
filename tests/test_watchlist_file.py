import pytest

from storage.model import Severity, Term
from watchers.watchlist_file import WatchlistFileError, dump, load

RAILWAYS = """
watchlists:
  - name: railways
    title: Railways
    severity: high
    languages: [be, ru]
    channels: ["@belzhd_live", 1234]
    terms:
      - эшелон
      - (эшелон | состав) техника -футбол
      - name: Baranavichy
        kind: place
        aliases: [Баранавічы, Барановичи, Baranowicze]
        unless: '"Барановичи Арена"'
"""


def test_a_file_is_read_and_written_back():
    [railways] = load(RAILWAYS)

    assert railways.severity is Severity.HIGH
    assert railways.channels == ("@belzhd_live", "1234")
    assert railways.terms[2] == Term(
        3,
        "Baranavichy",
        "place",
        ("Баранавічы", "Барановичи", "Baranowicze"),
        '"Барановичи Арена"',
    )
    assert load(dump([railways])) == (railways,)


MISTAKES = [
    # name, file, line, part of what is said
    ("empty", "", 1, "watchlists:"),
    ("no YAML", "a: [", 2, "expected"),
    ("no list", "watchlists: x", 1, "is a list"),
    ("unknown key", "watchlists:\n- name: a\n  term: [b]", 3, "did you mean terms?"),
    ("no name", "watchlists:\n- terms: [b]", 2, "has a name"),
    ("bad name", "watchlists:\n- name: ab c", 2, "letters"),
    ("name twice", "watchlists:\n- name: a\n- name: A", 3, "unique"),
    ("bad rule", "watchlists:\n- name: a\n  terms:\n  - b\n  - (b", 5, "write (b)"),
    ("bad unless", "watchlists:\n- name: a\n  terms:\n  - name: b\n    unless: '|'", 5, "nothing"),
    ("bad severity", "watchlists:\n- name: a\n  severity: urgent", 3, "low, normal or high"),
    ("bad language", "watchlists:\n- name: a\n  languages: [de]", 3, "be, ru, uk, pl, en"),
    ("bad channel", "watchlists:\n- name: a\n  channels: [x]", 3, "@username"),
    ("term twice", "watchlists:\n- name: a\n  terms: [b, b]", 3, "twice"),
]


@pytest.mark.parametrize(
    ("text", "line", "said"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_mistakes_name_file_line_and_remedy(text, line, said):
    with pytest.raises(WatchlistFileError) as error:
        load(text, "my.yaml")

    assert str(error.value).startswith(f"my.yaml, line {line}: ")
    assert said in str(error.value)
