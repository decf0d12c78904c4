"""How quickly is a big export read and imported, and in how much memory? Beside json.load."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.test_import import many

ROOT = Path(__file__).parent.parent
MESSAGES = 100_000
TIMED = """
import sys, time
from pathlib import Path
path, began = Path(sys.argv[1]), time.monotonic()
{work}
took = time.monotonic() - began
status = Path("/proc/self/status").read_text()  # unlike rusage not inherited from the parent
memory = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(f"{{sys.argv[2]:<34}}{{int(sys.argv[3]) / took:>10,.0f}} messages/s {{memory:>8,.0f}} MB at most")
"""
READ = """
from watchers.export_file import ExportFile
from watchers.exports import read_posts
began = time.monotonic()
for exported in read_posts(ExportFile(path), print):
    pass
"""
BASELINE = """
import json
json.loads(path.read_text(encoding="utf-8").replace("\\\\x07", "\\\\u0007"))
"""
IMPORT = """
import asyncio
from bot.imports import import_files
began = time.monotonic()
asyncio.run(import_files(path.with_suffix(".db"), [path], sys.stderr, sys.stderr))
"""


def imports() -> None:
    print(f"\nan export of {MESSAGES:,} messages", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = many(Path(folder) / "result.json", MESSAGES)
        tenth = many(Path(folder) / "tenth.json", MESSAGES // 10)
        run(BASELINE, path, "json.loads, nothing made of it", MESSAGES)
        run(READ, tenth, "read as posts, a tenth of it", MESSAGES // 10)
        run(READ, path, "read as posts", MESSAGES)
        run(IMPORT, tenth, "imported, a tenth of it", MESSAGES // 10)
        run(IMPORT, path, "imported", MESSAGES)


def run(work: str, path: Path, name: str, number: int) -> None:
    command = [sys.executable, "-c", TIMED.format(work=work), str(path), name, str(number)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)


MEASURES = (imports,)
