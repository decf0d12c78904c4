"""Is every sentence translated, and does each translation say what it has to?"""

import ast
import re
from collections import Counter
from gettext import NullTranslations

import pytest

from bot import speech
from bot.access import COMMANDS
from bot.speech import LANGUAGES
from storage import watchlists
from storage.model import Role
from tests import make
from tests.bot_api import buttons
from tests.catalogues import FOLDERS, KEYWORDS, ROOT, TRANSLATIONS, extracted, is_translated, stored

FOREIGN_LETTERS = re.compile(r"\b\w*(?:[a-z][а-яёіїєґў]|[а-яёіїєґў][a-z])\w*\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}")
_TAG = re.compile(r"</?\w+[^>]*>")
_COMMAND = re.compile(r"(?<![\w/<])/[a-z]+\b")
_LINK = re.compile(r"https?://\S*|\?start=")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LATIN = re.compile(r"[A-Za-z]{3,}")


@pytest.fixture(scope="module")
def template():
    return extracted()


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_every_sentence_is_translated_and_nothing_else(code, template):
    catalog = stored(code)
    said, translated = ({m.id for m in c if m.id} for c in (template, catalog))
    left = [message.id for message in catalog if message.id and not is_translated(message)]

    assert not said - translated, "python -m tests.catalogues adds them"
    assert not translated - said, "python -m tests.catalogues takes them out"
    assert not left, sorted(set(left))


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_values_tags_and_commands_stand_in_every_translation(code):
    wrong = []
    for message in stored(code):
        plural = isinstance(message.id, tuple)
        originals = message.id if plural else (message.id,)
        forms = message.string if plural else (message.string,)
        for form in forms if message.id else ():
            if not any(_skeleton(form) == _skeleton(original) for original in originals):
                wrong.append((originals[-1], form))
    assert not wrong


def _skeleton(text):
    commands = Counter(_COMMAND.findall(_TAG.sub(" ", text)))
    return Counter(_PLACEHOLDER.findall(text)), Counter(_TAG.findall(text)), commands


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_numbers_have_as_many_forms_as_the_language(code):
    catalog = stored(code)
    assert catalog.num_plurals == 3
    plurals = [m for m in catalog if isinstance(m.id, tuple)]
    assert plurals
    assert all(len(message.string) == 3 for message in plurals)


@pytest.mark.parametrize("code", [code for code in TRANSLATIONS if code != "pl"])
def test_no_word_mixes_cyrillic_and_latin_letters(code):
    said = "\n".join(
        form
        for message in stored(code)
        for form in (message.string if isinstance(message.string, tuple) else (message.string,))
    )
    assert FOREIGN_LETTERS.findall(_PLACEHOLDER.sub("", said)) == []


def test_only_literals_are_said():
    """Others would be found by nobody who extracts sentences."""
    wrong = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named = isinstance(call, ast.Call) and getattr(call.func, "id", "") in KEYWORDS
                if named and path.stem not in SPEAK_ENGLISH:
                    wrong += [f"{path.name}:{call.lineno}" for one in call.args[:1] if _made(one)]
    assert not wrong


def _made(argument):
    return isinstance(argument, ast.JoinedStr | ast.BinOp)


def test_what_a_handler_answers_is_said():
    """A sentence in the code that no `say` takes is English for ever."""
    wrong = []
    for path in sorted((ROOT / "bot").rglob("*.py")):
        if path.stem in SPEAK_ENGLISH:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(call, "func", None) and getattr(call.func, "attr", "")
            if name in ("answer", "edit_text", "send_message", "edit_message_text"):
                texts = [text for argument in call.args[:1] for text in _bare(argument)]
                wrong += [f"{path.name}:{call.lineno}: {text}" for text in texts]
    assert not wrong


ROLES = [role.word for role in Role]  # they are typed
SPEAK_ENGLISH = ("cli", "doctor", "demo", "match", "imports", "login")  # on the command line


def _bare(node):
    """Words that stand in an expression, outside of calls that translate."""
    if isinstance(node, ast.Call):
        return [t for n in (node.func, *([] if _says(node) else node.args)) for t in _bare(n)]
    if isinstance(node, ast.Constant):
        text = _TAG.sub("", node.value) if isinstance(node.value, str) else ""
        return [text] if _WORD.search(_LINK.sub("", text)) and text not in ROLES else []
    return [text for child in ast.iter_child_nodes(node) for text in _bare(child)]


def _says(call):
    return getattr(call.func, "id", getattr(call.func, "attr", "")) in KEYWORDS


def test_each_language_is_called_by_its_own_name():
    assert list(LANGUAGES) == ["en", *TRANSLATIONS]


# ---- what is said when all that is translated looks different


class Marked(NullTranslations):
    """A language in which every sentence that can be translated stands in brackets."""

    def __init__(self, template):
        super().__init__()
        self._known = {message.id for message in template}

    def gettext(self, message):
        return f"⟦{message}⟧" if message in self._known else message

    def ngettext(self, one, many, n):
        return f"⟦{one if n == 1 else many}⟧"


SAID = """
/start | /help | /channels | /add | /add nonsense! | /add https://t.me/+abc | /add @news | /remove
/remove @other | /backfill | /backfill @news | /backfill @news 3d | /backfill @nobody 3d | /watchlists
/watchlist | /watchlist nope | /watchlist list1 | /watch | /watch ! эшелон | /watch list1 (эшелон
/watch list1 эшелон | /watch list1 состав | /watch list1 и | /unwatch list1 состав | /unwatch list1 нет
/severity list1 | /severity list1 low | /subscriptions | /subscribe | /subscribe list1 never
/subscribe list1 | /subscribe list1 daily 08:00 | /subscribe list1 mon,fri 08:00,18:00 | /subscriptions
/subscriptions all | /unsubscribe list1 | /unsubscribe list1 | /mute | /mute nothing | /mute list1
/mute list1 1h | /mute "эшелон" | /mute forever | /mute | /unmute | /unmute 77 | /unmute 1 | /quiet
/quiet 7 | /quiet 22-7 | /quiet off | /zone | /zone Minsk | /zone Europe/Warsaw | /zone UTC | /digest
/digest nope | /digest 7d lang:xx | /digest 7d | /digest last week @news | /digest 7d @nobody | /search
/search эшелон | /search (эшелон | /search lang:xx | /search ничего | /story | /story nothing
/story https://t.me/news/1 | /story https://t.me/news/999 | /why https://t.me/news/1 | /why https://t.me/x/1
/test | /test эшелон | /test и | /backtest | /backtest list1 14d | /export 7d nope | /export 2026-99
/export html 7d @news list1 | /export 1h | /language | /language xx | /status | /invite | /invite owner
/invite off | /team | /team 9 viewer | /team 1 member | /team 1 member | /grouprole viewer | /audit
"""
# What is no sentence: commands, names, numbers, times, what is typed in rules.
UNSAID = re.compile(
    r"<(code|pre)>.*?</\1>|<[^>]*>|/[a-z]+|@\w+|\bt\.me\S*|https?://\S+|\b(?:UTC|CET|Jan|Dec|list1|News|Channel|English|Polski|Ann|Bob|"
    r"html|csv|viewer|member|operator|owner|low|normal|high|Europe/Warsaw|эшелон\w*|состав\w*|RE2)\b",
    re.DOTALL,
)

# Words of commands, and what was said above: some answers repeat them.
TYPED = {w for text in (SAID, *(info.usage for info in COMMANDS)) for w in _WORD.findall(text)}


async def test_all_that_is_answered_is_translated(
    talking, api, owner, db, clock, keep, take_in, monkeypatch, template
):
    marked = Marked(template)
    monkeypatch.setattr(speech, "catalogue", lambda language: marked)
    await take_in(2, Role.VIEWER)
    await keep("На станцию прибыл эшелон с техникой", "Эшелоны уходят", "Состав ушёл")
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), clock())
    left = []
    async with talking():
        for said in filter(
            None, (one.strip() for line in SAID.splitlines() for one in line.split("|"))
        ):
            at = await owner.send(said)
            await owner.expect(after=at)
            left += [(said, word) for m in _after(owner, at) for word in _untranslated(m)]
    assert not left, sorted(set(left))


def _after(person, at):
    return [m for m in person.messages if m["message_id"] > at]


def _untranslated(message):
    """Words outside of brackets, of a message and its buttons."""
    texts = [message.get("html") or message.get("text") or message.get("caption") or ""]
    texts += [button["text"] for button in buttons(message)]
    words = [w for text in texts for w in _LATIN.findall(UNSAID.sub(" ", _outside(text)))]
    return [word for word in words if word not in TYPED]


def _outside(text):
    deep, kept = 0, []
    for character in text:
        deep += (character == "⟦") - (character == "⟧")
        kept.append(character if not deep and character != "⟧" else " ")
    return "".join(kept)
