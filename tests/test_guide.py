"""Do five taps lead a new owner from nothing to the first alert?"""

from storage import subscriptions, watchlists
from tests.bot_api import buttons
from tests.test_buttons import forge


async def tap(owner, label, expects):
    await owner.press(label)
    return await owner.expect(text=expects, timeout=20)


async def test_five_taps_from_nothing_to_the_first_alert(program, dc, owner, reader):
    live = dc.add_channel("Chyhunka", username="belzhd_live", members=[reader])
    async with program():
        await owner.send("/start")
        await owner.expect(text="Three steps", timeout=20)
        await tap(owner, "🚀 Or let me lead you: five taps", "1 of 4")
        await tap(owner, "🚆 Railways and military trains", "2 of 4")
        asked = await tap(owner, "➕ Begin with these", "3 of 4")
        assert "Chyhunka (@belzhd_live) is watched from now on." in asked["text"]
        assert "nobody has the name @nexta_live" in asked["text"]
        told = await tap(owner, "🔔 Every hit at once", "4 of 4")
        assert "military-transport, railways, sabotage" in told["text"]
        await tap(owner, "🧪 Show me", "That was a made-up post")
        sample = owner.messages[-2]["text"]
        assert "🔎 railways: Baranavichy" in sample

        await dc.post(live, "На станцию прибыли два эшелона с техникой")
        alert = await owner.expect(text="два эшелона с техникой", timeout=20)
        await owner.send("/start")
        again = await owner.expect(text="Three steps", timeout=20, after=alert["message_id"])
        assert not list(buttons(again))


async def test_a_digest_and_taps_that_are_repeated_or_made_up(talking, api, owner, db):
    async with talking():
        await owner.send("/start")
        await owner.expect(text="Three steps")
        await tap(owner, "🚀 Or let me lead you: five taps", "1 of 4")
        await tap(owner, "⚖️ Repression, people, border", "2 of 4")
        await tap(owner, "Only my own", "3 of 4")
        for _ in range(2):
            await tap(owner, "📋 A digest every day at 08:00", "4 of 4")
        for forged in ("g:s:nothing:0:never", "g:t:nothing:0:", "g:c::1:"):
            await forge(api, owner, forged)
    names = {w.id: w.name for w in await watchlists.all(db.reader)}
    told = await subscriptions.of_chat(db.reader, owner.id)
    assert {names[one.watchlist_id] for one in told} == {"repression", "people", "border"}
    assert {one.schedule for one in told} == {"daily 08:00"}
