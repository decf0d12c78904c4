"""Does the demo show the whole way of a post?"""

import io

from rich.console import Console

from bot import demo


async def test_it_shows_alerts_a_story_a_digest_and_what_to_do_next(tmp_path):
    output = io.StringIO()
    await demo.show(tmp_path / "demo.db", Console(file=output, width=80))
    shown = output.getvalue()
    for text in ("─ alert ─", "also in: ", "─ digest ─", "demo.db", "make run"):
        assert text in shown
    assert "<b>" not in shown
