"""How long is `14d`?"""

import re
from datetime import timedelta

_PERIOD = re.compile(r"(\d{1,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def read_period(word: str) -> timedelta | None:
    """`30m`, `6h`, `14d`; None when it is none."""
    match = _PERIOD.fullmatch(word.casefold())
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
