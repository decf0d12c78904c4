"""How often may an account look names up? PURE.

An access hash is good for one account only, so a channel that moves to another account has to be
looked up by its name there, once. Telegram allows about 200 of these a day and makes who asks more
wait for many hours (one account, after 1,385: 18 h). Hence the budget of one account:

- what people /add is always looked up, and counts;
- channels that it has to read now: at most 50 in 10 minutes and 150 a day, the busiest first. 100
  channels of an account that failed are spread over the others: 2 of them need half a minute;
- channels that it would have to read if another account failed are looked up ahead of time: one
  in 10 minutes, at most 100 a day. 300 channels are known to every account after 3 days.

Hashes that come along in posts forwarded from a watched channel cost nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

A_DAY = 150
AT_ONCE, WITHIN = 50, timedelta(minutes=10)
AHEAD_A_DAY = 100
AHEAD_EVERY = timedelta(minutes=10)
AGAIN = timedelta(hours=6)  # before a name that led nowhere is looked up again
DAY = timedelta(days=1)


def wait(times: Sequence[datetime], now: datetime, ahead: bool = False) -> float:
    """Seconds until the next one may be made; `times` are those of the last day, oldest first."""
    limits = [(AHEAD_A_DAY, DAY), (1, AHEAD_EVERY)] if ahead else [(A_DAY, DAY), (AT_ONCE, WITHIN)]
    free = [times[-most] + period for most, period in limits if len(times) >= most]
    return max(0.0, *((at - now).total_seconds() for at in free)) if free else 0.0
