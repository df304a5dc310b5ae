"""Text for people to read: CrocoClick's product editor writes markup, and Xero shows descriptions as they are.

Only what is read is made plain. Numbers, names and emails are never touched.
"""

import re
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser

_BLOCKS = frozenset("p div ul ol li table tr h1 h2 h3 h4 h5 h6 blockquote pre hr section article header footer".split())
_INLINE = frozenset("a abbr b big br code del em font i img ins mark s small span strike strong sub sup u".split())
_PARTS = frozenset("tbody thead tfoot td th colgroup col caption style script".split())
_UNSEEN = frozenset({"style", "script"})
_NAMES = "|".join(sorted(_BLOCKS | _INLINE | _PARTS, key=len, reverse=True))
# A sign of comparison between two words is no markup: only elements that rich text editors write count.
_VALUE = r"""\"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+"""
_ELEMENT = rf"/?(?:{_NAMES})(?:\s+[a-z:-]+\s*=\s*(?:{_VALUE}))*\s*/?>"
_TAG = re.compile(f"<{_ELEMENT}", re.IGNORECASE)
_NO_TAG = re.compile(f"<(?!{_ELEMENT})", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")


@lru_cache(4096)
def plain_text(written: str) -> str:
    """The text as people read it: markup becomes line breaks, what cannot be shown is left out."""
    read = _without_markup(written) if "<" in written and _TAG.search(written) else written
    return without_odd_characters(_ENTITY.sub(lambda found: unescape(found[0]), read) if read is written else read)


def without_odd_characters(written: str) -> str:
    """The text without control characters and halves of characters; line breaks and tabs stay."""
    if written.isprintable():
        return written
    return "".join([char for char in _LINE_ENDS.sub("\n", written) if char in "\n\t" or not _is_odd(char)])


def is_whole(written: str) -> bool:
    """Whether the text can be written at all: half a character (a lone surrogate) cannot."""
    if written.isascii():
        return True
    try:
        written.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_odd(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff" or char in "\ufffe\uffff"


class _Reader(HTMLParser):
    """Collects what a person would see: the blocks each on a line of its own, a list's points with a dash."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS or tag == "br":
            self.seen.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.seen.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS or tag == "br":
            self.seen.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.seen.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            # In markup a line's end is a blank.
            self.seen.append(" ".join(data.splitlines()) if data.strip() else _BLANKS.sub(" ", data.replace("\n", " ")))


def _without_markup(written: str) -> str:
    reader = _Reader()
    # What only looks like an element is text: a reader of markup would swallow it.
    reader.feed(_NO_TAG.sub("&lt;", written))
    reader.close()
    lines = [_BLANKS.sub(" ", line).strip() for line in "".join(reader.seen).split("\n")]
    return "\n".join([line for line in lines if line and line != "-"])
