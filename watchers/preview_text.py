"""Which characters does a reader of the web preview see? PURE.

They are to be the characters that Telegram itself has for the post: lines kept, emoji as characters,
custom emoji as the emoji that stands for them, no markup.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from selectolax.lexbor import LexborNode

_BLOCKS = {"div", "p", "blockquote", "pre"}
_SKIPPED = {"script", "style", "svg", "video", "audio"}
_SOFT, _EDGE = "\ue000", "\ue001"  # private use: a line broken in the markup only; a block's edge
_SOFT_BREAK = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
_LINE_BREAK = re.compile(rf"(?:{_SOFT}|{_EDGE})*\n(?:{_SOFT}|{_EDGE})*")
_EDGES = re.compile(rf"{_SOFT}*{_EDGE}[{_SOFT}{_EDGE}]*")
_SCHEME = re.compile(r"(?:https?|tg|tonsite)://|mailto:|tel:", re.IGNORECASE)


def shown_text(node: LexborNode) -> str:
    text = "".join(_pieces(node, keeps_lines=node.tag == "pre"))
    text = _EDGES.sub("\n", _LINE_BREAK.sub("\n", text))
    return text.replace(_SOFT, " ").strip()


def _pieces(node: LexborNode, *, keeps_lines: bool) -> Iterator[str]:
    for child in node.iter(include_text=True):
        if child.is_text_node:
            text = child.text_content or ""
            yield text if keeps_lines else _SOFT_BREAK.sub(_SOFT, text)
        elif child.tag == "br":
            yield "\n"
        elif child.tag not in _SKIPPED:
            edge = _EDGE if child.tag in _BLOCKS else ""
            yield edge
            yield from _pieces(child, keeps_lines=keeps_lines or child.tag == "pre")
            yield edge


def hidden_address(shown: str, address: str) -> str | None:
    """The address of a link whose words do not say it; None for a plain one, a mention, a hashtag.

    Telegram keeps only such addresses apart from the text; the preview makes every one a link.
    """
    said, leads_to = _bare(shown), _bare(address)
    if address.startswith("?") or said == leads_to:
        return None
    if said.startswith("@") and leads_to == f"t.me/{said[1:]}":
        return None
    return address


def _bare(address: str) -> str:
    return unquote(_SCHEME.sub("", address.strip())).casefold().rstrip("/")
