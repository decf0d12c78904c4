"""Does a person get a session: by phone, code and password, or by QR code? With a real client."""

import asyncio
import stat

import pytest

from tests.telegram_dc import DataCentre
from watchers.login import LoginFailed, login
from watchers.telegram import Account, make_client

PHONE = "+375291112233"


@pytest.fixture
def account(dc: DataCentre, tmp_path):
    """An account whose session file knows the server, but is not signed in."""
    return Account(1, "x" * 32, dc.session_file(tmp_path / "new.session"))


def answers(*words):
    left = list(words)
    return lambda question: left.pop(0)


async def signed_in(account):
    client = make_client(account)
    await client.connect()
    try:
        return await client.is_user_authorized()
    finally:
        await client.disconnect()


async def test_by_phone_and_code(dc, account):
    dc.add_user("Reader", PHONE)
    said = []
    await login(account, said.append, answers(PHONE, "00000", dc.code), answers())
    assert "That is not the code." in said
    assert await signed_in(account)
    assert stat.S_IMODE(account.session.stat().st_mode) == 0o600


async def test_by_phone_code_and_password(dc, account):
    dc.add_user("Reader", PHONE, password="hunter2")
    said = []
    await login(account, said.append, answers(PHONE, dc.code), answers("wrong", "hunter2"))
    assert "That is not the password." in said
    assert await signed_in(account)


async def test_signed_in_already_it_asks_nothing(dc, account):
    dc.add_user("Reader", PHONE)
    await login(account, print, answers(PHONE, dc.code), answers())
    said = []
    await login(account, said.append, answers(), answers())
    assert said[0] == "This session is signed in already."


async def test_by_qr_code(dc, account):
    user = dc.add_user("Reader", PHONE)
    links = []

    def scan(link):
        links.append(link)
        asyncio.get_running_loop().call_later(0.1, dc.approve_qr, user)

    await login(account, print, answers(), answers(), scan)
    assert links[0].startswith("tg://login?token=")
    assert await signed_in(account)


async def test_by_qr_code_and_password(dc, account):
    user = dc.add_user("Reader", PHONE, password="hunter2")

    def scan(link):
        asyncio.get_running_loop().call_later(0.1, dc.approve_qr, user)

    await login(account, print, answers(), answers("hunter2"), scan)
    assert await signed_in(account)


@pytest.mark.parametrize(
    ("said", "secret", "why"),
    [
        ((PHONE, "1", "2", "3"), (), "3 wrong codes"),
        ((PHONE, "12345"), ("a", "b", "c"), "3 wrong passwords"),
    ],
)
async def test_too_many_mistakes_end_it(dc, account, said, secret, why):
    dc.add_user("Reader", PHONE, password="hunter2")
    with pytest.raises(LoginFailed, match=why):
        await login(account, print, answers(*said), answers(*secret))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ((420, "FLOOD_WAIT_60"), "wait 60 s"),
        ((400, "API_ID_INVALID"), "copy both again from https://my.telegram.org"),
        ((400, "PHONE_NUMBER_INVALID"), "write it like"),
    ],
)
async def test_what_telegram_refuses_is_explained(dc, account, error, why):
    dc.fail("SendCode", *error)
    with pytest.raises(LoginFailed, match=why):
        await login(account, print, answers(PHONE), answers())


async def test_an_expired_code(dc, account):
    dc.add_user("Reader", PHONE)
    dc.fail("SignIn", 400, "PHONE_CODE_EXPIRED")
    with pytest.raises(LoginFailed, match="expired"):
        await login(account, print, answers(PHONE, "1"), answers())


async def test_no_server(dc, account):
    await dc.stop()
    with pytest.raises(LoginFailed, match="check the network"):
        await login(account, print, answers(PHONE), answers())
