"""What can go wrong between a client and Telegram? Whatever a test asks for."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telethon.tl import TLObject

from tests.mtproto import Connection, RpcError

When = Callable[[Any], bool]  # is it this request that the fault is meant for?


@dataclass
class Fault:
    """What is to befall the next requests of one method."""

    what: RpcError | str | float  # an error, "hang" | "disconnect" | "throttle", or a delay in s
    left: float  # times
    when: When | None

    def befalls(self, request: TLObject) -> bool:
        return self.left > 0 and (self.when is None or self.when(request))


class Faults:
    """The part of `DataCentre` that tests break it with."""

    def __init__(self) -> None:
        self.drop_updates = 0  # so many pushes to come are sent to nobody
        self.refuse_connections = False
        self.latency = 0.0  # seconds before any answer
        self.page_limit = 100  # smaller: pages come shorter than asked for, as they sometimes do
        self.diff_limit = 100  # missed updates, beyond which a channel's difference is "too long"
        self.diff_pts = True  # False: the updates in a difference carry no pts (Telethon#4611)
        self.join_limit = 500
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)  # by method
        self._limits: dict[str, tuple[int, float]] = {}
        self._admitted: defaultdict[str, list[float]] = defaultdict(list)

    def fail(
        self, method: str, code: int, message: str, times: float = 1, when: When | None = None
    ) -> None:
        """Refuse the next `times` (math.inf: all) requests of a method; "*" is any method."""
        self.faults[method].append(Fault(RpcError(code, message), times, when))

    def fault(
        self, method: str, what: str | float, times: float = 1, when: When | None = None
    ) -> None:
        """Let the next `times` requests meet a fault.

        "hang": no answer; "disconnect": a TCP reset; "throttle": the transport error -429;
        a number: the answer comes so many seconds late.
        """
        if isinstance(what, str) and what not in ("hang", "disconnect", "throttle"):
            raise ValueError(f"no such fault: {what!r}")
        self.faults[method].append(Fault(what, times, when))

    def limit(self, method: str, times: int, seconds: float) -> None:
        """Allow so many requests in so long; more get the FLOOD_WAIT that is still due."""
        self._limits[method] = (times, seconds)

    def heal(self) -> None:
        """No more faults and limits."""
        self.faults.clear()
        self._limits.clear()

    async def survives(self, connection: Connection, method: str, request: TLObject) -> bool:
        """Let happen to a request what the test wants; False if it gets no answer."""
        await asyncio.sleep(self.latency)
        self._enforce_limit(method)
        fault = self._next_fault(method, request)
        match fault and fault.what:
            case None:
                return True
            case RpcError() as error:
                raise error
            case "disconnect":
                connection.abort()
            case "throttle":
                connection.throttle()
            case float() | int() as seconds:
                await asyncio.sleep(seconds)
                return True
        return False

    def _next_fault(self, method: str, request: TLObject) -> Fault | None:
        for fault in (*self.faults[method], *self.faults["*"]):
            if fault.befalls(request):
                fault.left -= 1
                return fault
        return None

    def _enforce_limit(self, method: str) -> None:
        if method not in self._limits:
            return
        times, seconds = self._limits[method]
        now = time.monotonic()
        recent = [at for at in self._admitted[method] if at > now - seconds]
        if len(recent) >= times:
            raise RpcError(420, f"FLOOD_WAIT_{math.ceil(recent[-times] + seconds - now)}")
        self._admitted[method] = [*recent, now]
