"""What happens that nobody asked for, and when? One line a job.

APScheduler only rings the bell. What is due is a question to the database (digests.make_due), so
nothing is lost or doubled by a late, missed or repeated ring.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler


def make_scheduler(
    make_digests: Callable[[], Awaitable[None]],
    check_silence: Callable[[], Awaitable[None]],
    check_surges: Callable[[], Awaitable[None]],
    beat: Callable[[], None],
) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(timezone=UTC)
    # By default a run that is more than 1 s late is skipped.
    every = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    scheduler.add_job(make_digests, "cron", second=0, **every)
    scheduler.add_job(check_silence, "interval", minutes=5, **every)
    scheduler.add_job(check_surges, "interval", minutes=5, **every)
    scheduler.add_job(beat, "interval", seconds=10, **every)
    return scheduler
