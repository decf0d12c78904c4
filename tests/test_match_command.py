import io
import json
import os
import subprocess
import sys

import pytest

from bot.match import match_stream

WATCHLISTS = """
watchlists:
  - name: railways
    channels: ["@belzhd_live"]
    terms: [состав]
  - name: everywhere
    terms:
      - эшелон
      - {name: Baranavichy, kind: place, aliases: [Барановичи]}
"""


@pytest.fixture
def run(tmp_path):
    def run(posts, watchlists=WATCHLISTS):
        (tmp_path / "w.yaml").write_text(watchlists, encoding="utf-8")
        (tmp_path / "p.jsonl").write_bytes(posts.encode())
        out, err = io.BytesIO(), io.StringIO()
        code = match_stream(str(tmp_path / "w.yaml"), str(tmp_path / "p.jsonl"), out, err)
        return code, out.getvalue().decode().splitlines(), err.getvalue()

    return run


def test_one_line_a_hit(run):
    code, lines, err = run('{"id": 7, "text": "эшелоны в Барановичах"}\n')

    assert (code, err) == (0, "")
    assert [json.loads(line) for line in lines] == [
        {
            "id": 7,
            "watchlist": "everywhere",
            "term": "эшелон",
            "kind": None,
            "spans": [[0, 7]],
            "matched": ["эшелоны"],
        },
        {
            "id": 7,
            "watchlist": "everywhere",
            "term": "Baranavichy",
            "kind": "place",
            "spans": [[10, 21]],
            "matched": ["Барановичах"],
        },
    ]


@pytest.mark.parametrize("id", ["1.50", "123456789012345678901234567890", '{"a": [null]}', '"x"'])
def test_an_id_is_given_back_as_it_came(run, id):
    _, [line], _ = run(f'{{"id": {id}, "text": "эшелон"}}')

    assert line.startswith(f'{{"id":{id},')


def test_bad_lines_are_named_and_the_rest_goes_on(run):
    code, lines, err = run('{"id": 1, "text": "эшелон"}\nx\n{"id": 2}\n{"id": 3, "text": "эшелон"}')

    assert code == 2
    assert [json.loads(line)["id"] for line in lines] == [1, 3]
    assert [line.split(":")[0] for line in err.splitlines()] == ["line 2", "line 3"]


@pytest.mark.parametrize(
    ("channel", "hits"), [('"belzhd_live"', 1), ('"@BelZhD_live"', 1), ('"other"', 0), ("null", 0)]
)
def test_a_watchlist_keeps_to_its_channels(run, channel, hits):
    _, lines, _ = run(f'{{"id": 1, "text": "составы", "channel": {channel}}}')

    assert len(lines) == hits


def test_bad_watchlists_are_refused(run):
    code, lines, err = run("", "watchlists:\n- name: a\n  terms: ['(b']")

    assert (code, lines) == (2, [])
    assert "w.yaml, line 3" in err


def test_no_such_pack():
    err = io.StringIO()

    assert match_stream("no-such-pack", "-", io.BytesIO(), err) == 2
    assert "no-such-pack" in err.getvalue()


def test_the_first_hit_is_out_before_the_input_ends(tmp_path):
    (tmp_path / "w.yaml").write_text(WATCHLISTS, encoding="utf-8")
    command = [sys.executable, "-m", "bot", "match", "--watchlists", str(tmp_path / "w.yaml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        os.write(process.stdin.fileno(), '{"id": 1, "text": "эшелон"}\n'.encode())
        line = process.stdout.readline()
        process.stdin.close()

    assert json.loads(line)["id"] == 1
    assert process.returncode == 0
