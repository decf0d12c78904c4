"""Does everybody hear the bot in their own language, and is every sentence translated?"""

import ast
from gettext import GNUTranslations, NullTranslations

import pytest

from bot import speech
from bot.handlers.status import source_name
from bot.speech import say, speaking
from storage import chats, said
from storage.model import Role
from storage.said import Counted, Said
from tests import catalogues
from tests.bot_api import buttons
from watchers.preview import PreviewSource

BOB = 2


@pytest.fixture
def bob(api):
    return api.user(BOB, "Bob", started=True)


async def test_a_person_chooses_and_is_answered_in_it(talking, owner, api):
    async with talking():
        await owner.send("/language")
        await owner.expect("I speak English. Choose another:")
        at = await owner.send("/language klingon")
        await owner.expect("I don't speak klingon.", after=at)
        at = await owner.send("/language беларуская")
        await owner.expect(after=at)
        at = await owner.send("/language")
        await owner.expect("Беларуская", after=at)


async def test_a_viewer_chooses_in_private_and_a_member_in_a_group(talking, api, bob, take_in):
    desk = api.supergroup("Desk")
    await take_in(BOB, Role.VIEWER)
    async with talking():
        at = await bob.send("/language en")
        await bob.expect("I speak English from now on.", after=at)
        await bob.send("/language pl", chat=desk)
        await desk.expect("That takes the role member")


def test_a_sentence_is_kept_with_its_values_whatever_they_hold():
    name = Said("a channel {id}", id=7)
    sentence = Said("{name} says {text}", name=name, text="{hostile} <b>")

    again = said.read(str(sentence), said.kept(sentence))

    assert again == sentence == "a channel 7 says {hostile} <b>"
    assert say(again) == str(sentence)


def test_a_number_is_kept_as_a_number():
    sentence = Counted("{n} gap in {name}", "{n} gaps in {name}", 3, name="x")

    again = said.read(str(sentence), said.kept(sentence))

    assert again == "3 gaps in x"
    assert say(again) == "3 gaps in x"


def test_sentences_are_found_wherever_they_stand():
    code = """f"{say('inside an {what}', what=1)}"; say("one " "whole"); say(f"{made}"); say(x)"""
    assert sorted(catalogues.said(ast.parse(code))) == ["inside an {what}", "one whole"]


def test_plain_text_stays_what_it_is():
    assert said.kept("plain") is None
    assert said.read("plain", None) == "plain"
    assert said.read(None, None) is None


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "12,345 posts"), ("ru", "12\xa0345 posts"), ("be", "12\xa0345 posts")],
)
def test_thousands_are_set_apart_as_the_language_does(language, said, monkeypatch):
    monkeypatch.setattr(speech, "catalogue", lambda code: NullTranslations())
    with speaking(language):
        assert speech.say_number("{n:,} post", "{n:,} posts", 12345) == said


def test_nothing_is_said_of_nothing(monkeypatch):
    head = GNUTranslations()
    head._catalog = {"": "Content-Type: text/plain"}  # as every catalogue has it
    monkeypatch.setattr(speech, "catalogue", lambda code: head)
    assert say("") == say(ValueError()) == ""


@pytest.mark.parametrize(
    ("telegrams", "ours"),
    [("be", "be"), ("en-GB", "en"), ("pt-br", None), (None, None), ("", None)],
)
def test_telegrams_name_of_a_language_is_known(telegrams, ours):
    assert speech.known(telegrams) == ours


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "Nov"), ("be", "ліс"), ("uk", "лист."), ("ru", "нояб."), ("pl", "lis")],
)
def test_a_month_stands_behind_its_day(language, name):
    with speaking(language):
        assert speech.month(11) == name


async def test_alerts_buttons_and_menus_speak_the_chats_language(talking, api, owner, db, owe):
    desk = api.supergroup("Desk")
    async with talking():
        await owner.send("/language be")
        await owner.expect("Цяпер")
        await owner.send("/language pl", chat=desk)
        await desk.expect("Polski")
        await owe("Прибыл эшелон")
        await owe("Ушёл эшелон", chat=desk.id)
        alert = await owner.expect("Прибыл эшелон")
        other = await desk.expect("Ушёл эшелон")
        key = next(key for key in api.commands if f'"chat_id": {owner.id},' in key[0])
    assert "👍 Карысна" in [button["text"] for button in buttons(alert)]
    assert "👍 Przydatne" in [button["text"] for button in buttons(other)]
    assert any(
        "дайджэст" in c["description"] or "спіс" in c["description"] for c in api.commands[key]
    )


async def test_the_language_of_a_persons_telegram_is_spoken_until_they_choose(
    talking, api, owner, db, owe
):
    owner.about["language_code"] = "uk"
    async with talking():
        await owner.send("/status")
        await owner.expect("Збережено")
        await owe("Прибыл эшелон")
        alert = await owner.expect("Прибыл эшелон")
        at = await owner.send("/language en")
        await owner.expect("I speak English from now on.", after=at)
        at = await owner.send("/language auto")
        await owner.expect(after=at)
    assert "👍 Корисно" in [button["text"] for button in buttons(alert)]
    assert (await chats.one(db.reader, owner.id)).spoken == "uk"


@pytest.mark.parametrize(
    ("code", "account", "preview"),
    [
        ("en", "Account 2", "Web preview"),
        ("be", "Уліковы запіс 2", "Вэб-прагляд"),
        ("pl", "Konto 2", "Podgląd WWW"),
    ],
)
def test_status_names_the_sources_in_the_language_of_the_chat(code, account, preview):
    with speaking(code):
        assert source_name("account 2") == account
        assert source_name(PreviewSource.name) == preview
