"""What happens that nobody asked for, and when? One line a job.

APScheduler only rings the bell. What is due is a question to the database (digests.make_due), so
nothing is lost or doubled by a late, missed or repeated ring.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger


class Every(BaseTrigger):  # type: ignore[misc]
    """Rings when so much time has passed, or at the start of each minute, hour …

    APScheduler's own triggers count every ring that was missed: when a clock that was months behind
    is set right, or a machine wakes up, the program would stand still for a minute to do so.
    """

    def __init__(self, *, sharp: bool = False, **length: int) -> None:
        self._length, self._sharp = timedelta(**length), sharp

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        since_last = (
            timedelta(seconds=now.timestamp()) % self._length if self._sharp else timedelta()
        )
        return now - since_last + self._length


def make_scheduler(
    make_digests: Callable[[], Awaitable[None]],
    check_silence: Callable[[], Awaitable[None]],
    check_surges: Callable[[], Awaitable[None]],
    beat: Callable[[], None],
) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(timezone=UTC)
    # By default a run that is more than 1 s late is skipped.
    each = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    scheduler.add_job(make_digests, Every(minutes=1, sharp=True), **each)
    scheduler.add_job(check_silence, Every(minutes=5), **each)
    scheduler.add_job(check_surges, Every(minutes=5), **each)
    scheduler.add_job(beat, Every(seconds=10), **each)
    return scheduler
