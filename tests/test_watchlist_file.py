import pytest
from typer.testing import CliRunner

from bot.cli import cli
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


def test_watchlists_go_into_the_database_and_out_again(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE", str(tmp_path / "watch.db"))
    source, back = tmp_path / "in.yaml", tmp_path / "out.yaml"
    source.write_text(
        "watchlists:\n- name: rail\n  title: Rail\n  severity: high\n  terms:\n"
        "  - эшелон\n  - name: Baranavichy\n    kind: place\n    aliases: [Барановичи]\n",
        encoding="utf-8",
    )
    run = CliRunner().invoke
    assert "rail: 2 of 2 terms are new" in run(cli, ["watchlists", "import", str(source)]).output
    assert "rail: 0 of 2 terms are new" in run(cli, ["watchlists", "import", str(source)]).output
    source.write_text(source.read_text("utf-8").replace("Барановичи", "Баранавічы"), "utf-8")
    assert "rail: 1 of 2 terms are new" in run(cli, ["watchlists", "import", str(source)]).output
    assert run(cli, ["watchlists", "export", str(back)]).exit_code == 0
    assert back.read_text("utf-8").count("Баранавічы") == 1
    stored, given = (load(path.read_text("utf-8"))[0] for path in (back, source))
    assert {t.name: t.aliases for t in stored.terms} == {t.name: t.aliases for t in given.terms}
    assert (stored.title, stored.severity) == (given.title, given.severity)
    missing = run(cli, ["watchlists", "import", "nope"])
    assert (missing.exit_code, "no such pack (packs: belarus)" in missing.output) == (2, True)
    assert run(cli, ["watchlists", "export", "/nowhere/x.yaml"]).exit_code == 2
