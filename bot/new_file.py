"""How does a file come into being that nobody else may read, and that never replaces another?"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NotWritten(Exception):
    """The message names the file and says what to do."""


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, mode 0600, to be filled; it becomes `path` when all went well.

    Whatever happens, `path` is whole or not there. Raises NotWritten, also for an OSError inside.
    """
    filling = None
    try:
        if os.path.lexists(path):
            raise FileExistsError
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        filling = Path(name)
        os.close(descriptor)
        yield filling
        _settle(filling, path)
    except FileExistsError:
        raise NotWritten(f"{path} exists already: name another file, or remove it first") from None
    except OSError as error:
        raise NotWritten(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        if filling is not None:
            filling.unlink(missing_ok=True)


def _settle(filling: Path, path: Path) -> None:
    with filling.open("rb") as file:
        os.fsync(file.fileno())
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # fails if it is there
    filling.replace(path)
