"""How does the program get its Telegram session? Once, by a person, into a file of mode 0600."""

from collections.abc import Callable

from telethon import TelegramClient, errors

from watchers.telegram import Account, make_client

TRIES = 3  # wrong codes or passwords before it gives up
QR_TRIES = 10  # a QR code lives for half a minute

Ask = Callable[[str], str]
Say = Callable[[str], None]


class LoginFailed(Exception):
    """Why, and what to do."""


async def login(
    account: Account, say: Say, ask: Ask, ask_secret: Ask, draw_qr: Say | None = None
) -> None:
    """Sign in and keep the session where `account.session` says. Raises LoginFailed.

    `draw_qr` shows a link as a QR code; left out, a phone number and a code are asked for.
    """
    client = make_client(account)
    try:
        await client.connect()
        if await client.is_user_authorized():
            say("This session is signed in already.")
        elif draw_qr:
            await _by_qr(client, say, ask_secret, draw_qr)
        else:
            await _by_phone(client, say, ask, ask_secret)
        say(f"Signed in. The session is in {account.session}: it is the whole account,")
        say("so keep it to yourself. Next: python -m bot run")
    except errors.FloodWaitError as error:
        raise LoginFailed(f"Telegram asks to wait {error.seconds} s before the next try") from None
    except errors.ApiIdInvalidError:
        raise LoginFailed(
            "TELEGRAM_API_ID and TELEGRAM_API_HASH do not go together: "
            "copy both again from https://my.telegram.org"
        ) from None
    except (OSError, TimeoutError):
        raise LoginFailed("Telegram can't be reached: check the network") from None
    finally:
        await client.disconnect()


async def _by_phone(client: TelegramClient, say: Say, ask: Ask, ask_secret: Ask) -> None:
    phone = ask("Phone number of the reading account, with country code: ").strip()
    try:
        await client.send_code_request(phone)
    except errors.PhoneNumberInvalidError:
        raise LoginFailed(
            "Telegram does not know that number: write it like +375291234567"
        ) from None
    say("Telegram has sent a code, to the app or by SMS.")
    for _ in range(TRIES):
        try:
            await client.sign_in(phone, ask("Code: ").strip())
        except errors.PhoneCodeInvalidError:
            say("That is not the code.")
        except errors.PhoneCodeExpiredError:
            raise LoginFailed("the code has expired: run the command again") from None
        except errors.SessionPasswordNeededError:
            await _password(client, say, ask_secret)
            return
        else:
            return
    raise LoginFailed(f"{TRIES} wrong codes: run the command again")


async def _password(client: TelegramClient, say: Say, ask_secret: Ask) -> None:
    for _ in range(TRIES):
        try:
            await client.sign_in(password=ask_secret("Two-step verification password: "))
        except errors.PasswordHashInvalidError:
            say("That is not the password.")
        else:
            return
    raise LoginFailed(f"{TRIES} wrong passwords: run the command again")


async def _by_qr(client: TelegramClient, say: Say, ask_secret: Ask, draw_qr: Say) -> None:
    code = await client.qr_login()
    for _ in range(QR_TRIES):
        say("In Telegram: Settings → Devices → Link Desktop Device, then scan:")
        draw_qr(code.url)
        try:
            await code.wait()
        except TimeoutError:
            await code.recreate()
        except errors.SessionPasswordNeededError:
            await _password(client, say, ask_secret)
            return
        else:
            return
    raise LoginFailed("nobody scanned the code: run the command again")
