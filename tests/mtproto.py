"""How do bytes on a socket become requests, and answers bytes again?

The server's half of MTProto 2.0. One `Connection` per TCP connection: transport, encryption,
auth key exchange.
What a request *means* is the `Host`'s business (see `telegram_dc.py`).
Source of the rules: https://core.telegram.org/mtproto.
"""

import asyncio
import os
import struct
import time
import zlib
from collections.abc import Coroutine
from contextlib import suppress
from hashlib import sha1, sha256
from typing import Any, Protocol, TypeAlias

import rsa
from telethon import functions, helpers, types
from telethon.crypto import AES, AuthKey
from telethon.crypto import rsa as telethon_rsa
from telethon.extensions import BinaryReader
from telethon.tl import TLObject
from telethon.tl.core import GzipPacked, MessageContainer

# A TEST KEY, public on purpose and worth nothing: two fixed 1024-bit primes, because making an
# RSA key takes seconds. Only clients that were told to (`trust_test_key`) believe in it.
TEST_KEY_P = int(
    "e7f8ac1e98bb751ba6d3112ca555e8939314b2bc6379a4047f294787f5f329eb5e02b6bcfdc91290e7b503a2b7e2"
    "3c6ca3d00dcb50dd142fc18dff50b5343061b10843ca2f7cf3e7355fc6a4c69505564f12d1abff2651e010be8ecb"
    "fb60b38c2ab2b32bd503429329587b4dff1afd1f2ba64c7ba0f5f4595be40c91492c21a7",
    16,
)
TEST_KEY_Q = int(
    "ba1c7fecd0e7c7bfb9c51c78141e4f5815fda22ed960208ad0552e1754e6a8fbdec771e78d8ff74899660c4a8bd1"
    "dae1d454a040ee949db3b813217ad7c97802596632639f167ec075b1cb1dff5fc314f7b822d1cac0332b1da4976b"
    "68a859ade7a0792426dd0ae0bd7f77435f441d1f22ea1cec46413d0275a831cfea700b2d",
    16,
)
TEST_PUBLIC_KEY = rsa.PublicKey(TEST_KEY_P * TEST_KEY_Q, 65537)

PQ = 1229739323 * 1402015859  # the factors are the protocol documentation's own sample
DH_GENERATOR = 3
DH_PRIME = int(  # Telegram's own: clients check it, and know this one to be good
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530"
    "f4dbfa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf"
    "8c595f642477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e1627"
    "53b56b0f6b410dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff"
    "9ca3928fef5b9ae4e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b1"
    "05ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)

UNKNOWN_AUTH_KEY = -404  # transport errors: four bytes instead of a message
TOO_MANY_REQUESTS = -429

RPC_RESULT = 0xF35C6D01
VECTOR = 0x1CB5C415
BOOL_TRUE, BOOL_FALSE = 0x997275B5, 0xBC799737

Answer: TypeAlias = TLObject | bool | list[Any]  # whatever a request may be answered with


class RpcError(Exception):
    """A refusal, as a client will see it: `RpcError(420, "FLOOD_WAIT_3")`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Host(Protocol):
    """What a connection needs to know of the data centre it belongs to."""

    salt: int

    def knows(self, key_id: int) -> AuthKey | None: ...
    def welcome(self, key: AuthKey) -> None: ...
    def opened(self, connection: "Connection") -> None: ...
    def closed(self, connection: "Connection") -> None: ...
    async def serve(self, connection: "Connection", message_id: int, request: TLObject) -> None: ...
    def broke(self, error: Exception) -> None: ...


def trust_test_key() -> None:
    """Make this process's Telethon accept the test key in a handshake. Not undone: harmless."""
    telethon_rsa.add_key(TEST_PUBLIC_KEY.save_pkcs1().decode(), old=False)


def serialise(answer: Answer) -> bytes:
    if isinstance(answer, bool):
        return struct.pack("<I", BOOL_TRUE if answer else BOOL_FALSE)
    if isinstance(answer, list):
        return struct.pack("<Ii", VECTOR, len(answer)) + b"".join(map(serialise, answer))
    return bytes(answer)


def parse(data: bytes) -> TLObject:
    with BinaryReader(data) as reader:
        return reader.tgread_object()


def unwrap(request: TLObject) -> TLObject:
    """The request proper, out of invokeWithLayer, initConnection, gzip and their like."""
    while True:
        if isinstance(request, GzipPacked):
            request = parse(request.data)
        elif isinstance(getattr(request, "query", None), TLObject):
            request = request.query
        else:
            return request


def wants_updates(request: TLObject) -> bool:
    """False for what came inside invokeWithoutUpdates: the client has asked for silence."""
    while isinstance(getattr(request, "query", None), TLObject):
        if isinstance(request, functions.InvokeWithoutUpdatesRequest):
            return False
        request = request.query
    return True


# ---- encryption: x is 0 for what a client wrote, 8 for what a server wrote


def message_key(auth_key: bytes, plain: bytes, x: int) -> bytes:
    return sha256(auth_key[88 + x : 120 + x] + plain).digest()[8:24]


def aes_key_and_iv(auth_key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + auth_key[x : 36 + x]).digest()
    b = sha256(auth_key[40 + x : 76 + x] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


def encrypt(key: AuthKey, plain: bytes) -> bytes:
    plain += os.urandom(-(len(plain) + 12) % 16 + 12)
    msg_key = message_key(key.key, plain, 8)
    cipher: bytes = AES.encrypt_ige(plain, *aes_key_and_iv(key.key, msg_key, 8))
    return struct.pack("<Q", key.key_id) + msg_key + cipher


def decrypt(key: AuthKey, packet: bytes) -> bytes:
    msg_key = packet[8:24]
    plain: bytes = AES.decrypt_ige(packet[24:], *aes_key_and_iv(key.key, msg_key, 0))
    if message_key(key.key, plain, 0) != msg_key:
        raise ValueError("the client's msg_key does not fit its message")
    return plain


class Handshake:
    """The auth key exchange, three questions long: https://core.telegram.org/mtproto/auth_key."""

    def __init__(self) -> None:
        self.key: AuthKey | None = None  # there once the third question is answered
        self._nonce = self._new_nonce = 0
        self._server_nonce = int.from_bytes(os.urandom(16), "big", signed=True)
        self._secret = int.from_bytes(os.urandom(256), "big")

    def answer(self, request: TLObject) -> TLObject:
        match request:
            case functions.ReqPqMultiRequest():
                return self._challenge(request)
            case functions.ReqDHParamsRequest():
                return self._parameters(request)
            case functions.SetClientDHParamsRequest():
                return self._agree(request)
        raise ValueError(f"{type(request).__name__} has no place in a handshake")

    def _challenge(self, request: functions.ReqPqMultiRequest) -> TLObject:
        self._nonce = request.nonce
        fingerprint = telethon_rsa._compute_fingerprint(TEST_PUBLIC_KEY)
        pq = telethon_rsa.get_byte_array(PQ)
        return types.ResPQ(self._nonce, self._server_nonce, pq, [fingerprint])

    def _parameters(self, request: functions.ReqDHParamsRequest) -> TLObject:
        sealed = int.from_bytes(request.encrypted_data, "big")
        private = pow(TEST_PUBLIC_KEY.e, -1, (TEST_KEY_P - 1) * (TEST_KEY_Q - 1))
        plain = pow(sealed, private, TEST_PUBLIC_KEY.n).to_bytes(255, "big")
        self._new_nonce = parse(plain[20:]).new_nonce  # the first 20 bytes are a SHA-1
        inner = bytes(
            types.ServerDHInnerData(
                nonce=self._nonce,
                server_nonce=self._server_nonce,
                g=DH_GENERATOR,
                dh_prime=telethon_rsa.get_byte_array(DH_PRIME),
                g_a=telethon_rsa.get_byte_array(pow(DH_GENERATOR, self._secret, DH_PRIME)),
                server_time=int(time.time()),
            )
        )
        data = sha1(inner).digest() + inner
        data += os.urandom(-len(data) % 16)
        sealed_answer = AES.encrypt_ige(data, *self._temporary_key())
        return types.ServerDHParamsOk(self._nonce, self._server_nonce, sealed_answer)

    def _agree(self, request: functions.SetClientDHParamsRequest) -> TLObject:
        inner = parse(AES.decrypt_ige(request.encrypted_data, *self._temporary_key())[20:])
        shared = pow(int.from_bytes(inner.g_b, "big"), self._secret, DH_PRIME)
        self.key = AuthKey(shared.to_bytes(256, "big"))
        proof = self.key.calc_new_nonce_hash(self._new_nonce, 1)
        return types.DhGenOk(self._nonce, self._server_nonce, proof)

    def _temporary_key(self) -> tuple[bytes, bytes]:
        key, iv = helpers.generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        return key, iv


class Connection:
    """One client's TCP connection. It owns the tasks of its requests: they end when it does."""

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.key: AuthKey | None = None  # the one the client's last message was written with
        self.session_id: int | None = None
        self.wants_updates = False  # a session that has asked for nothing yet is told nothing
        self._host, self._reader, self._writer = host, reader, writer
        self._handshake = Handshake()
        self._requests: set[asyncio.Task[None]] = set()
        self._packets_sent = self._messages_sent = self._last_message_id = 0

    async def run(self) -> None:
        """Answer until the client goes, by whatever door."""
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._packet(await self._read()):
                    await self._writer.drain()
        except Exception as error:  # a bug of ours, or of the client: the test must hear of it
            self._host.broke(error)
        finally:
            self._host.closed(self)
            await self._end()

    def push(self, update: TLObject) -> None:
        if not self._writer.is_closing():
            self._send(bytes(update), is_reply=False)

    def result(self, message_id: int, answer: Answer) -> None:
        if not self._writer.is_closing():
            head = struct.pack("<Iq", RPC_RESULT, message_id)
            self._send(head + serialise(answer), is_reply=True)

    def error(self, message_id: int, error: RpcError) -> None:
        self.result(message_id, types.RpcError(error.code, error.message))

    def abort(self) -> None:
        """Cut the wire: the client sees a connection reset."""
        self._writer.transport.abort()

    def throttle(self) -> None:
        """Refuse at the transport level, as seen of Telegram (Telethon#4042): -429, thrice."""
        self._writer.write(struct.pack("<iii", *[TOO_MANY_REQUESTS] * 3))

    async def _end(self) -> None:
        self._writer.close()
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    # ---- reading

    async def _read(self) -> bytes:
        (length, _sequence) = struct.unpack("<ii", await self._reader.readexactly(8))
        return (await self._reader.readexactly(length - 8))[:-4]  # without the checksum

    async def _packet(self, packet: bytes) -> bool:
        """Act on one packet; False when the connection is to end."""
        (key_id,) = struct.unpack("<Q", packet[:8])
        if key_id == 0:
            self._send_plain(self._handshake.answer(parse(packet[20:])))
            if self._handshake.key:
                self._host.welcome(self._handshake.key)
            return True
        self.key = self._host.knows(key_id)
        if self.key is None:
            self._send_packet(struct.pack("<i", UNKNOWN_AUTH_KEY))
            await self._writer.drain()
            return False
        plain = decrypt(self.key, packet)
        _salt, session_id, message_id, _seq, length = struct.unpack("<qqqii", plain[:32])
        if session_id != self.session_id:
            self._new_session(session_id, message_id)
        self._message(message_id, parse(plain[32 : 32 + length]))
        return True

    def _new_session(self, session_id: int, message_id: int) -> None:
        self.session_id = session_id
        self._host.opened(self)
        self.push(types.NewSessionCreated(message_id, 1, self._host.salt))

    def _message(self, message_id: int, message: TLObject) -> None:
        match message:
            case MessageContainer():
                for inner in message.messages:
                    self._message(inner.msg_id, inner.obj)
            case GzipPacked():
                self._message(message_id, parse(message.data))
            case functions.PingRequest() | functions.PingDelayDisconnectRequest():
                self._send(bytes(types.Pong(message_id, message.ping_id)), is_reply=True)
            case types.MsgsAck() | types.MsgsStateReq() | functions.DestroySessionRequest():
                pass
            case _:
                self.wants_updates = self.wants_updates or wants_updates(message)
                self._spawn(self._host.serve(self, message_id, unwrap(message)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    # ---- writing

    def _send(self, body: bytes, *, is_reply: bool) -> None:
        assert self.key is not None
        sequence = self._messages_sent * 2 + 1
        self._messages_sent += 1
        message_id = self._next_message_id(is_reply)
        head = struct.pack(
            "<qqqii", self._host.salt, self.session_id, message_id, sequence, len(body)
        )
        self._send_packet(encrypt(self.key, head + body))

    def _send_plain(self, message: TLObject) -> None:
        body = bytes(message)
        head = struct.pack("<qqi", 0, self._next_message_id(is_reply=True), len(body))
        self._send_packet(head + body)

    def _send_packet(self, payload: bytes) -> None:
        data = struct.pack("<ii", len(payload) + 12, self._packets_sent) + payload
        self._packets_sent += 1
        self._writer.write(data + struct.pack("<I", zlib.crc32(data)))

    def _next_message_id(self, is_reply: bool) -> int:
        """Unix time in 1/2**32 s; always rising; 1 modulo 4 in a reply, 3 in anything else."""
        message_id = int(time.time() * 2**32) & ~3 | (1 if is_reply else 3)
        while message_id <= self._last_message_id:
            message_id += 4
        self._last_message_id = message_id
        return message_id
