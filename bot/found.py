"""How does what was found in stored posts look? PURE: no bot, no database, no clock."""

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo

from bot import render, speech
from bot.speech import say, say_number
from storage.model import Entry
from storage.said import Said
from watchers.lint import lint
from watchers.rule_tokens import RuleError
from watchers.tally import Tally
from watchers.why import Reason

REASONS_LIMIT = 40
WORDS_LIMIT = 6
TERMS_LIMIT = 40
EXAMPLES_LIMIT = 5
BAR = 16  # blocks of the longest day
NOTHING = Said("Nothing is found.")


def page(
    said: str, entries: Sequence[Entry], zone: tzinfo, first: int, notes: Sequence[str] = ()
) -> str:
    """One page of a search; `first` is the number of its first post."""
    numbers = f" · {first}–{first + len(entries) - 1}" if entries else ""
    lines = [f"🔍 <b>{short(said)}</b>{numbers}"]
    lines += [render.post_line(entry, zone) for entry in entries] or [say(NOTHING)]
    lines += [f"<i>{render.safe(say(note))}</i>" for note in notes]
    return "\n\n".join(lines)


def short(said: str) -> str:
    return render.one_line(said)


def why(
    entry: Entry, reasons: Sequence[Reason], stored: frozenset[int], zone: tzinfo
) -> Iterator[str]:
    """Lines. `stored`: the terms whose hits were stored when the post came."""
    link = render.post_link(entry.channel, entry.post.message_id)
    when = render.time_shown(entry.post.published_at, zone)
    yield f'<a href="{link}">{when}</a> {render.channel_name(entry.channel)}'
    if not reasons:
        yield say("Nothing of what the watchlists look for stands in it.")
    for reason in reasons[:REASONS_LIMIT]:
        yield _reason(reason, stored)
    if len(reasons) > REASONS_LIMIT:
        yield say("… and {number} more", number=len(reasons) - REASONS_LIMIT)


def _reason(reason: Reason, stored: frozenset[int]) -> str:
    term = f"<b>{reason.watchlist.name}</b>: {render.one_line(reason.term.name)}"
    words = _words(reason.words)
    if reason.hit is None:
        against = "; ".join(map(say, reason.against)) or say("it does not hold")
        return say(
            "➖ {term} – found {words}, but {why}",
            term=term,
            words=words,
            why=render.one_line(against, 300),
        )
    where = ""
    if not reason.hit.spans:
        places = dict.fromkeys(render.in_its(e.kind) for e in reason.hit.elsewhere)
        where = f" {', '.join(places)}"
    sure = say(", by undoing a disguise") if reason.hit.disguised else ""
    late = say(" (the rule is newer than the post: no alert)")
    late = "" if reason.term.id in stored else late
    found = _words(reason.hit.matched or tuple(e.matched for e in reason.hit.elsewhere))
    found = say("✅ {term} – found {words}", term=term, words=found)
    return f"{found}{render.safe(where)}{sure}{late}"


def _words(words: Sequence[str]) -> str:
    some = list(dict.fromkeys(words))
    shown = [f"“{render.one_line(word, 60)}”" for word in some[:WORDS_LIMIT]]
    if len(some) > WORDS_LIMIT:
        number = len(some) - WORDS_LIMIT
        return say("{some} and {number} more", some=", ".join(shown), number=number)
    return ", ".join(shown) or say("nothing")


def warnings(rule: str) -> list[str]:
    try:
        return [f"⚠️ {render.safe(say(warning.message))}" for warning in lint(rule)]
    except RuleError:
        return []


def trial(
    name: str, tally: Tally, period: timedelta, zone: tzinfo, notes: Sequence[str] = ()
) -> Iterator[str]:
    """Lines: how many posts a rule or a watchlist would have matched, when, and some of them."""
    posts = say_number("{n:,} post", "{n:,} posts", tally.matched)
    yield say(
        "🧪 <b>{name}</b>: {posts} in the last {period}",
        name=short(name),
        posts=posts,
        period=span(period),
    )
    yield from (f"<i>{render.safe(say(note))}</i>" for note in notes)
    if not tally.ended and tally.oldest:
        since = render.time_shown(tally.oldest, zone)
        late = say("That took too long: only posts since {since} were looked at.", since=since)
        yield f"<i>{late}</i>"
    yield from _days(tally)
    if len(tally.terms) > 1:
        yield ""
        for (_, term), number in tally.terms.most_common(TERMS_LIMIT):
            yield f"{speech.decimal(number)} × {render.one_line(term)}"
        if len(tally.terms) > TERMS_LIMIT:
            more = len(tally.terms) - TERMS_LIMIT
            yield say_number("… and {n} more term", "… and {n} more terms", more)
    if examples := newest_examples(tally):
        yield ""
        yield from (render.post_line(entry, zone) for entry in examples)


def newest_examples(tally: Tally) -> list[Entry]:
    """Of different posts, and of as many terms as there are."""
    found: dict[object, Entry] = {}
    for place in range(EXAMPLES_LIMIT):
        for examples in tally.examples.values():
            if place < len(examples) and len(found) < EXAMPLES_LIMIT:
                found.setdefault(examples[place].post.key, examples[place])
    return sorted(found.values(), key=lambda entry: entry.post.published_at, reverse=True)


def _days(tally: Tally) -> Iterator[str]:
    most = max(tally.days.values(), default=0)
    names = {day: f"{day.day:2} {speech.month(day.month)}" for day in sorted(tally.days)}
    longest = max(map(len, names.values()), default=0)
    for day, name in names.items():
        number = tally.days[day]
        bar = "▇" * max(1, round(BAR * number / most))
        yield f"<code>{name:{longest}}</code> {bar} {speech.decimal(number)}"


def span(period: timedelta) -> str:
    hours = int(period.total_seconds() // 3600)
    if hours % 24 == 0 and hours:
        return say_number("{n} day", "{n} days", hours // 24)
    return say_number("{n} hour", "{n} hours", hours)
