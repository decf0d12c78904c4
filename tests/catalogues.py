"""Which sentences does the program say, and which of them are translated?

    python -m tests.catalogues   # brings bot/locales/*.po up to date with the code

New sentences come without a translation, changed ones lose theirs, unused ones go.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from bot.speech import ENGLISH, LANGUAGES, LOCALES

ROOT = Path(__file__).parent.parent
FOLDERS = ("bot", "storage", "watchers")
# What takes a sentence, and in how many forms.
KEYWORDS = {"say": 1, "say_number": 2, "Said": 1, "Counted": 2}
COMMAND_LINE = ("login",)  # speaks English; what it calls `say` is something else
TRANSLATIONS = [code for code in LANGUAGES if code != ENGLISH]


def extracted() -> Catalog:
    """Every sentence in the code, with the files that say it.

    Babel's own extraction does not look into f-strings before Python 3.12.
    """
    catalog = Catalog(charset="utf-8", fuzzy=False)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.stem not in COMMAND_LINE:
                for sentence in said(ast.parse(path.read_text(encoding="utf-8"))):
                    catalog.add(sentence, locations=[(str(path.relative_to(ROOT)), None)])
    return catalog


def said(tree: ast.AST) -> Iterator[str | tuple[str, ...]]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            literals = call.args[: KEYWORDS.get(call.func.id, 0)]
            texts = tuple(one.value for one in literals if isinstance(one, ast.Constant))
            if texts and len(texts) == len(literals):
                yield texts[0] if len(texts) == 1 else texts


def stored(code: str) -> Catalog:
    path = LOCALES / f"{code}.po"
    if not path.exists():
        return Catalog(locale=code, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def update() -> None:
    for code in TRANSLATIONS:
        catalog = stored(code)
        catalog.update(extracted(), no_fuzzy_matching=True)
        write(code, catalog)
        missing = sum(not is_translated(message) for message in catalog if message.id)
        print(f"{code}: {len(catalog)} sentences, {missing} to be translated")


def write(code: str, catalog: Catalog) -> None:
    """Without dates: a file changes only when a sentence does."""
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.header_comment = f"# {LANGUAGES[code]}. Sentences of the bot; see tests/catalogues.py."
    with (LOCALES / f"{code}.po").open("wb") as file:
        write_po(_Undated(file), catalog, width=100, sort_output=True)


class _Undated:
    """Leaves out of the head of a catalogue what says when, and who of nobody."""

    LEFT_OUT = (b"Date:", b"Project-Id", b"Report-Msgid", b"Last-Translator", b"Language-Team")

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        self._file.write(
            b"".join(
                line
                for line in lines
                if not (line.startswith(b'"') and line.endswith(b'\\n"\n') and self._dated(line))
            )
        )

    def _dated(self, line: bytes) -> bool:
        return any(word in line for word in self.LEFT_OUT)


def is_translated(message) -> bool:
    said = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(said) and not message.fuzzy


if __name__ == "__main__":
    update()
