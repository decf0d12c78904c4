"""Which pieces is a rule written in? Mistakes inside one piece are named here."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from lark import Token
from lark.lexer import Lexer

from storage.said import Counted, Said
from watchers.expressions import compiled

LONGEST_RULE = 4000
LONGEST_WORD = 100
LONGEST_PHRASE = 200
LONGEST_REGEX = 500  # all of a rule's together: what keeps the time bounded
LARGEST_NEAR = 50
SHORTEST_TYPO = 5


class RuleError(ValueError):
    """A rule that is none: where (0-based), why, and the rule as it was probably meant."""

    def __init__(self, position: int, message: str, repair: str | None = None) -> None:
        super().__init__(_sentence(position, message, repair))
        self.position = position
        self.message = message
        self.repair = repair  # the whole rule, mended; None when nobody can guess

    def __reduce__(self) -> tuple[type["RuleError"], tuple[int, str, str | None]]:
        return type(self), (self.position, self.message, self.repair)


def _sentence(position: int, message: str, repair: str | None) -> Said:
    if repair:
        return Said(
            "at {position}: {message}; write {repair}",
            position=position + 1,
            message=message,
            repair=repair,
        )
    return Said("at {position}: {message}", position=position + 1, message=message)


@dataclass(frozen=True, slots=True)
class Written:
    """One piece of a rule."""

    kind: str  # LPAR RPAR VBAR NOT NEAR, or what a leaf is: words exact typo regex
    position: int
    end: int
    words: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return self.kind if self.kind.isupper() else "LEAF"


_NAMES = {"LPAR": "_LPAR", "RPAR": "_RPAR", "VBAR": "_VBAR"}  # _: not kept in the tree


class Lexing(Lexer):
    """Hands the pieces to the grammar."""

    def __init__(self, lexer_conf: object) -> None:
        pass

    def lex(self, data: str) -> Iterator[Token]:  # type: ignore[override]
        for written in split(data):
            yield Token(_NAMES.get(written.type, written.type), written)


_QUOTES = '"«»„“”'
_PIECE = re.compile(
    rf"""(?P<blank>\s+)
    | (?P<LPAR>\() | (?P<RPAR>\)) | (?P<VBAR>\|)
    | (?P<NEAR>NEAR(?:/\d+)?(?=[\s(){_QUOTES}]|$))
    | (?P<NOT>-(?=[^\s]))
    | (?P<regex>/(?:\\.|[^/\\])+/(?=[\s()|]|$))
    | (?P<quoted>=?[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]~?)
    | (?P<word>[^\s()|{_QUOTES}]+)
    | (?P<quote>[{_QUOTES}])""",
    re.VERBOSE | re.DOTALL,
)
_WORD = re.compile(r"[^\W_]+(?:['’ʼ`´‘′‐‑-]+[^\W_]+)*\*?")
_OPERATORS = {
    "AND": (" ", Said("two words with a blank between are both wanted: AND is not needed")),
    "&": (" ", Said("two words with a blank between are both wanted: & is not needed")),
    "&&": (" ", Said("two words with a blank between are both wanted: && is not needed")),
    "OR": (" | ", Said("either is written |")),
    "NOT": (" -", Said("not is written - before the word")),
}


def words_of(text: str) -> tuple[str, ...]:
    """The words of a phrase, hyphenated ones whole, without stress marks and punctuation."""
    composed = unicodedata.normalize("NFC", text)
    return tuple(_WORD.findall(_INVISIBLE.sub("", composed)))


_INVISIBLE = re.compile("[\u00ad\u0300-\u0305\u0307\u0309-\u036f\u200b-\u200f\u2060\ufe0f\ufeff]")


def split(rule: str) -> list[Written]:
    if len(rule) > LONGEST_RULE:
        what = Counted(
            "a rule has at most {n} character", "a rule has at most {n} characters", LONGEST_RULE
        )
        raise RuleError(LONGEST_RULE, what, None)
    pieces = []
    regexes = 0
    for match in _PIECE.finditer(rule):
        kind = match.lastgroup
        regexes += len(match[0]) if kind == "regex" else 0
        if regexes > LONGEST_REGEX:
            what = Counted(
                "the regular expressions of a rule have at most {n} character",
                "the regular expressions of a rule have at most {n} characters",
                LONGEST_REGEX,
            )
            raise RuleError(match.start(), what, None)
        if kind == "blank":
            continue
        pieces.append(_piece(rule, str(kind), match.start(), match.end()))
    if not pieces:
        raise RuleError(0, Said("the rule is empty: write a word to look for"), None)
    return pieces


def _piece(rule: str, kind: str, start: int, end: int) -> Written:
    text = rule[start:end]
    if kind in ("LPAR", "RPAR", "VBAR", "NOT"):
        return Written(kind, start, end)
    if kind == "NEAR":
        return _near(rule, start, end)
    if kind == "regex":
        return _regex(rule, start, end)
    if kind == "quote":
        raise RuleError(start, Said("this quotation mark is never closed"), rule + '"')
    if kind == "quoted":
        return _quoted(rule, start, end)
    if mistake := _mistake(rule, text, start, end):
        raise mistake
    return _word(rule, start, end)


def _mend(rule: str, start: int, end: int, instead: str) -> str | None:
    return " ".join(f"{rule[:start]}{instead}{rule[end:]}".split()) or None


def _near(rule: str, start: int, end: int) -> Written:
    number = rule[start + 5 : end]
    if not number or not 0 < int(number[:9]) <= LARGEST_NEAR:
        wish = "5" if not number or not int(number[:9]) else str(LARGEST_NEAR)
        what = Said(
            "NEAR is followed by /1 to /{largest}, the words that may stand between",
            largest=LARGEST_NEAR,
        )
        raise RuleError(start, what, _mend(rule, start, end, f"NEAR/{wish}"))
    return Written("NEAR", start, end, (str(int(number)),))


def _regex(rule: str, start: int, end: int) -> Written:
    pattern = rule[start + 1 : end - 1]
    if problem := compiled(pattern).problem:
        raise RuleError(start, problem, None)
    return Written("regex", start, end, (pattern,))


def _quoted(rule: str, start: int, end: int) -> Written:
    exact = rule[start] == "="
    words = words_of(rule[start:end])
    if rule[end - 1] == "~":
        what = Said("a typo is tolerated in one word, not in a phrase")
        raise RuleError(end - 1, what, _mend(rule, end - 1, end, ""))
    if not words:
        what = Said("there is no letter or digit between these quotation marks")
        raise RuleError(start, what, _mend(rule, start, end, ""))
    if end - start > LONGEST_PHRASE:
        too_long = Counted(
            "a phrase has at most {n} character",
            "a phrase has at most {n} characters",
            LONGEST_PHRASE,
        )
        raise RuleError(start, too_long, None)
    for word in words:
        _check_prefix(rule, word, start, end)
    if exact and any(word.endswith("*") for word in words):
        instead = rule[start:end].replace("*", "")
        what = Said("= and * contradict each other: = is this form only, * any ending")
        raise RuleError(start, what, _mend(rule, start, end, instead))
    return Written("exact" if exact else "words", start, end, words)


def _mistake(rule: str, text: str, start: int, end: int) -> RuleError | None:
    """What a person may have meant by a word that is none."""
    if text in _OPERATORS:
        instead, what = _OPERATORS[text]
        mended = _mend(rule, start, end, instead)
        if instead == " -" and mended:
            mended = re.sub(r"-\s+", "-", mended)
        return RuleError(start, what, mended)
    if re.fullmatch(r"(?i)near/\d+", text) and text != text.upper():
        return RuleError(
            start, Said("NEAR stands in capitals"), _mend(rule, start, end, text.upper())
        )
    if text == "-":
        wanted = rule[end:].strip()
        mended = f"{rule[:end]}{wanted}" if wanted else rule[:start].strip()
        return RuleError(
            start, Said("the - stands right before what is not wanted"), mended or None
        )
    if text[0] in "–—−" and len(text) > 1:
        return RuleError(
            start, Said("not is written with a hyphen"), _mend(rule, start, start + 1, "-")
        )
    if text[0] in "!+" and len(text) > 1:
        if text[0] == "!":
            what, instead = Said("not is written -"), "-"
        else:
            what, instead = Said("both are wanted anyway: + is not needed"), ""
        return RuleError(start, what, _mend(rule, start, start + 1, instead))
    if text[0] == "/" and text[-1] == "/" and "/" not in text[1:-1] and len(text) > 2:
        what = Said("a blank stands behind a regular expression")
        closed = sum(letter in _QUOTES for letter in rule[end:]) % 2 == 0
        return RuleError(end, what, f"{rule[:end]} {rule[end:]}" if closed else None)
    if text[0] == "/" and text[-1] == "/" and len(text) > 2:
        inside = text[1:-1].replace("/", r"\/")
        what = Said(r"a / inside a regular expression is written \/")
        return RuleError(start, what, _mend(rule, start, end, f"/{inside}/"))
    if text.startswith("=/"):
        return RuleError(
            start, Said("a regular expression takes no ="), _mend(rule, start, start + 1, "")
        )
    if text[0] == "/" and "/" not in text[1:]:
        what = Said("this regular expression is not closed by / (or the word begins with /)")
        return RuleError(start, what, _mend(rule, start, start + 1, ""))
    return None


_NOTHING = Said("there is no letter or digit to look for here")


def _word(rule: str, start: int, end: int) -> Written:
    text = rule[start:end]
    exact, typo = text.startswith("="), text.endswith("~")
    words = words_of(text)
    if not words:
        if text.strip("*=~.,;:!?-") and "/" not in text:
            return _refuse(rule, start, end, _NOTHING, f"/{re.escape(text)}/")
        return _refuse(rule, start, end, _NOTHING, "")
    bare = text.strip("=~*")
    if "*" in bare or text.lstrip("=").startswith("*"):
        pattern = "/" + re.sub(r"\*+", r"\\pL*", text.strip("=~").replace("/", "")) + "/"
        return _refuse(rule, start, end, Said("the * stands at the end of a word only"), pattern)
    if text.rstrip("~").endswith("*") and not words[-1].endswith("*"):
        return _refuse(rule, start, end, Said("the * stands right after a letter or digit"), bare)
    if exact + typo + text.rstrip("~").endswith("*") > 1:
        what = Said("of =, * and ~ a word has one: this form only, any ending, or a typo")
        return _refuse(rule, start, end, what, bare)
    if len(text) > LONGEST_WORD:
        what = Counted(
            "a word has at most {n} character", "a word has at most {n} characters", LONGEST_WORD
        )
        raise RuleError(start, what, None)
    _check_prefix(rule, words[-1], start, end)
    if not typo:
        return Written("exact" if exact else "words", start, end, words)
    if len(words) > 1 or len(words[0]) < SHORTEST_TYPO or not words[0].isalpha():
        what = Counted(
            "a typo is tolerated in one word of at least {n} letter",
            "a typo is tolerated in one word of at least {n} letters",
            SHORTEST_TYPO,
        )
        return _refuse(rule, start, end, what, bare)
    return Written("typo", start, end, words)


def _refuse(rule: str, start: int, end: int, what: str, instead: str) -> Written:
    raise RuleError(start, what, _mend(rule, start, end, instead))


def _check_prefix(rule: str, word: str, start: int, end: int) -> None:
    if word.endswith("*") and len(word) < 3:
        raise RuleError(start, Said("at least two letters stand before a *"), None)
