"""The program as a process of its own, driven through its settings, its output and signals."""

import asyncio
import importlib
import multiprocessing
import os
import re
import signal
import sys
from pathlib import Path

from bot.lazy_types import import_aiogram

import_aiogram()
for slow in ("bot.app", "bot.doctor", "matplotlib.backends.backend_agg", "watchers.forms"):
    importlib.import_module(slow)

ROOT = Path(__file__).parent.parent

# Processes are forked from one that has made the slow imports already. They are processes like
# any other, only quicker to start; a `cold` test starts the command itself.
warm = multiprocessing.get_context("forkserver")
warm.set_forkserver_preload([__name__])


def be_the_command(arguments, environment, folder, output, prepare):
    """In the forked process: what `python -m bot …` would be."""
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if prepare:
        prepare()
    sys.argv = ["bot", *arguments]
    from bot.cli import main

    main()


class Process:
    """A `python -m bot …` with nothing but these settings."""

    def __init__(self, arguments, settings, folder, cold=False, prepare=None):
        self._arguments, self._cold, self._prepare = arguments, cold, prepare
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **{name: str(value) for name, value in settings.items()},
        }
        self._folder = folder
        self.output = ""
        self._grew = asyncio.Event()

    async def start(self):
        receiving, sending = warm.Pipe(duplex=False)
        with receiving, sending:
            begin = self._command if self._cold else self._fork
            self._pid, self._wait = await begin(sending)
            reading = os.fdopen(os.dup(receiving.fileno()), "rb", buffering=0)
        self._lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._lines), reading)
        self._reading = asyncio.create_task(self._read())

    async def _command(self, output):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *self._arguments,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        return process.pid, process.wait

    async def _fork(self, output):
        given = (self._arguments, self._environment, self._folder, output, self._prepare)
        process = warm.Process(target=be_the_command, args=given)
        await asyncio.to_thread(process.start)

        async def wait():
            await asyncio.to_thread(process.join)
            return process.exitcode

        return process.pid, wait

    async def _read(self):
        while line := await self._lines.readline():
            self.output += line.decode()
            self._grew.set()
        self._code = await self._wait()
        self._grew.set()

    async def says(self, text, timeout=40):
        async with asyncio.timeout(timeout):
            while not re.search(text, self.output):
                assert not self._reading.done(), f"ended without {text!r}: {self.output}"
                self._grew.clear()
                await self._grew.wait()

    def send(self, number):
        if not self._reading.done():
            os.kill(self._pid, number)

    async def ended(self, timeout=40):
        async with asyncio.timeout(timeout):
            await asyncio.shield(self._reading)
            return self._code

    async def kill(self):
        self.send(signal.SIGKILL)
        await self.ended()
