"""How does somebody prove to Telegram who they are? By code, by password (SRP), by QR code.

Each answer is a function of the data centre, the login it is asked by, and the request.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from telethon import password as srp
from telethon import types
from telethon.crypto import AuthKey
from telethon.functions import account, auth
from telethon.tl import TLObject

from tests.mtproto import DH_GENERATOR, DH_PRIME, RpcError

Algorithm: TypeAlias = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow

if TYPE_CHECKING:
    from tests.telegram_dc import DataCentre


def new_algorithm() -> Algorithm:
    return Algorithm(
        salt1=os.urandom(8),
        salt2=os.urandom(16),
        g=DH_GENERATOR,
        p=DH_PRIME.to_bytes(256, "big"),
    )


class PasswordCheck:
    """One SRP challenge, the server's half: https://core.telegram.org/api/srp."""

    def __init__(self, password: str) -> None:
        self.id = int.from_bytes(os.urandom(7), "big")
        self.algorithm = new_algorithm()
        self._verifier = int.from_bytes(srp.compute_digest(self.algorithm, password), "big")
        self._b, self.B = self._choose_b()

    def accepts(self, proof: types.InputCheckPasswordSRP) -> bool:
        """Does the client know the password? (It has sent A and M1, never the password.)"""
        a_bytes, b_bytes = proof.A.rjust(256, b"\0"), srp.big_num_for_hash(self.B)
        u = int.from_bytes(srp.sha256(a_bytes, b_bytes), "big")
        base = int.from_bytes(a_bytes, "big") * pow(self._verifier, u, DH_PRIME)
        shared = srp.sha256(srp.big_num_for_hash(pow(base, self._b, DH_PRIME)))
        p_hash = srp.sha256(self.algorithm.p)
        g_hash = srp.sha256(srp.big_num_for_hash(self.algorithm.g))
        expected = srp.sha256(
            srp.xor(p_hash, g_hash),
            srp.sha256(self.algorithm.salt1),
            srp.sha256(self.algorithm.salt2),
            a_bytes,
            b_bytes,
            shared,
        )
        return bool(expected == proof.M1)

    def _choose_b(self) -> tuple[int, int]:
        g, p = self.algorithm.g, self.algorithm.p
        k = int.from_bytes(srp.sha256(p, srp.big_num_for_hash(g)), "big")
        while True:  # clients refuse a g^b that is too near to 0 or to the prime
            b = int.from_bytes(os.urandom(256), "big")
            g_b = pow(g, b, DH_PRIME)
            if srp.is_good_mod_exp_first(g_b, DH_PRIME):
                return b, (k * self._verifier + g_b) % DH_PRIME


@dataclass
class Login:
    """What the data centre knows about the owner of one auth key."""

    key: AuthKey
    user: int | None = None  # logged in as
    halfway: int | None = None  # has shown a code or had its QR scanned; the password is still due
    check: PasswordCheck | None = None  # the challenge that its password must answer
    qr_expires: datetime | None = None  # until when the QR code it shows may be scanned
    refusal: RpcError = field(default_factory=lambda: RpcError(401, "AUTH_KEY_UNREGISTERED"))

    def shows_qr(self) -> bool:
        return self.qr_expires is not None and datetime.now(UTC) < self.qr_expires


# ---- by code


def send_code(dc: "DataCentre", login: Login, request: auth.SendCodeRequest) -> TLObject:
    phone = request.phone_number.lstrip("+")
    if not phone.isdigit():
        raise RpcError(400, "PHONE_NUMBER_INVALID")
    dc.code_hashes[phone] = os.urandom(9).hex()
    return types.auth.SentCode(types.auth.SentCodeTypeApp(len(dc.code)), dc.code_hashes[phone])


def sign_in(dc: "DataCentre", login: Login, request: auth.SignInRequest) -> TLObject:
    phone = request.phone_number.lstrip("+")
    if request.phone_code_hash != dc.code_hashes.get(phone):
        raise RpcError(400, "PHONE_CODE_EXPIRED")
    if request.phone_code != dc.code:
        raise RpcError(400, "PHONE_CODE_INVALID")
    owner = next((u.id for u in dc.users.values() if u.phone == phone), None)
    if owner is None:
        return types.auth.AuthorizationSignUpRequired()
    login.halfway = owner
    return finish_unless_password(dc, login)


def finish_unless_password(dc: "DataCentre", login: Login) -> TLObject:
    assert login.halfway is not None
    if dc.users[login.halfway].password is not None:
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    return finish(dc, login)


def finish(dc: "DataCentre", login: Login) -> TLObject:
    login.user, login.halfway, login.check = login.halfway, None, None
    assert login.user is not None
    return types.auth.Authorization(dc.users[login.user].seen_by(login.user))


def log_out(dc: "DataCentre", login: Login, request: auth.LogOutRequest) -> TLObject:
    login.user = None
    return types.auth.LoggedOut()


# ---- by password


def get_password(dc: "DataCentre", login: Login, request: account.GetPasswordRequest) -> TLObject:
    owner = login.halfway or login.user
    if owner is None:
        raise login.refusal
    secret = dc.users[owner].password
    login.check = PasswordCheck(secret) if secret is not None else None
    return types.account.Password(
        new_algo=new_algorithm(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=os.urandom(256),
        has_password=login.check is not None,
        current_algo=login.check and login.check.algorithm,
        srp_B=login.check and srp.big_num_for_hash(login.check.B),
        srp_id=login.check and login.check.id,
        hint=dc.users[owner].hint if login.check else None,
    )


def check_password(dc: "DataCentre", login: Login, request: auth.CheckPasswordRequest) -> TLObject:
    if login.halfway is None:
        raise login.refusal
    check, login.check = login.check, None  # a challenge is good for one try
    if check is None or request.password.srp_id != check.id:
        raise RpcError(400, "SRP_ID_INVALID")
    if not check.accepts(request.password):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    return finish(dc, login)


# ---- by QR code


def export_login_token(
    dc: "DataCentre", login: Login, request: auth.ExportLoginTokenRequest
) -> TLObject:
    if login.halfway is not None:
        return types.auth.LoginTokenSuccess(finish_unless_password(dc, login))
    login.qr_expires = datetime.now(UTC) + timedelta(seconds=dc.qr_lifetime)
    return types.auth.LoginToken(login.qr_expires, os.urandom(32))


# What may be asked before logging in, and who answers.
LOGIN_ANSWERS: Mapping[type[TLObject], Any] = {
    account.GetPasswordRequest: get_password,
    auth.CheckPasswordRequest: check_password,
    auth.ExportLoginTokenRequest: export_login_token,
    auth.LogOutRequest: log_out,
    auth.SendCodeRequest: send_code,
    auth.SignInRequest: sign_in,
}
