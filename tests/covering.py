"""Which lines and branches of storage/ and watchers/ do the tests reach?

    pytest -p tests.covering    # shows what is missed; fails below LEAST

Slipcover measures: a probe that has been passed costs next to nothing. What traces every line, as
coverage.py has to before Python 3.12, doubles the time of the suite.
"""

import json
from pathlib import Path

import pytest
import slipcover

LEAST = 95  # percent of lines and branches together
FOLDERS = [str(Path(__file__).parent.parent / name) for name in ("storage", "watchers")]
NOT_COUNTED = [r"if TYPE_CHECKING:", r"class .*\(Protocol\):", r"\.\.\.$"]

# As a plugin this is read before any conftest.py, so before what is measured is imported.
# `immediate`: else probes are taken out by a look through all functions there are, which breaks off with
# an error in the midst of a test when a thread makes one meanwhile.
_probes = slipcover.Slipcover(
    immediate=True, branch=True, source=FOLDERS, exclude_lines=NOT_COUNTED
)
_imports = slipcover.ImportManager(_probes, slipcover.FileMatcher(sources=FOLDERS))
_imports.__enter__()
_of_workers: list[str] = []


def pytest_unconfigure():
    _imports.__exit__(None, None, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """A worker of xdist is done: it hands over what it has reached."""
    _of_workers.append(node.workeroutput["covered"])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    reached = _probes.get_coverage()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["covered"] = json.dumps(reached)
        return
    for worker in _of_workers:
        slipcover.merge_coverage(reached, json.loads(worker))
    session.config.stash[COVERED] = reached
    if session.exitstatus == pytest.ExitCode.OK and percent(reached) < LEAST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


COVERED = pytest.StashKey[dict]()


def pytest_terminal_summary(terminalreporter, config):
    reached = config.stash.get(COVERED, None)
    if reached is not None:
        slipcover.print_coverage(reached, skip_covered=True)
        terminalreporter.write_line(
            f"{percent(reached):.1f} % of the lines and branches of storage/ and watchers/ are reached; "
            f"{LEAST} % have to be"
        )


def percent(reached):
    return reached["summary"]["percent_covered"]
