"""The `where` and `order` clauses of Xero's lists, compiled to plain functions.

Grammar: or → and → not → comparison; a comparison is `path op value`, `path.Contains("x")` or a bare boolean path.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from sandbox.xero.errors import BadQuery
from sandbox.xero.formats import is_guid

# kind of a field: text, number, date, guid, bool. A field is (kind, how to read it from the record).
Field = tuple[str, Callable[[Any], Any]]
Test = Callable[[Any], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op>==|!=|<>|>=|<=|&&|\|\||[=<>!()?,])
        |(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<path>[A-Za-z_][\w.]*))""",
    re.X,
)
# Comparing ignores case anyway, so these change nothing.
IDLE_CALL = re.compile(r"\.To(Lower|Upper|String)\(\)", re.I)
CLR = {"text": "String", "number": "Decimal", "date": "DateTime?", "guid": "Guid", "bool": "Boolean"}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a is not None and a > b,
    "<": lambda a, b: a is not None and a < b,
    ">=": lambda a, b: a is not None and a >= b,
    "<=": lambda a, b: a is not None and a <= b,
}
SAME = {"=": "==", "<>": "!="}
TEXT_CALLS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
}


def fold(text: str) -> str:
    """Text without case and accents: how Xero compares names and addresses."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


class Where:
    """One clause being read; `test` is the compiled result."""

    def __init__(self, clause: str, fields: dict[str, Field], type_name: str):
        self.fields = {name.lower(): field for name, field in fields.items()}
        self.type_name = type_name
        self.tokens = self._split(clause)
        self.at = 0
        self.test = self._or()
        if self.at < len(self.tokens):
            raise BadQuery("Syntax error")

    @staticmethod
    def _split(clause: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        clause = IDLE_CALL.sub("", clause).rstrip()
        while at < len(clause):
            found = TOKEN.match(clause, at)
            if not found:
                raise BadQuery(f"Syntax error '{clause[at]}'")
            tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            at = found.end()
        return tokens

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _take(self, *wanted: str) -> bool:
        if self._peek()[1].lower() in wanted and self._peek()[0] in ("op", "path"):
            self.at += 1
            return True
        return False

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise BadQuery("Expression expected")
        self.at += 1
        return token

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise BadQuery(f"'{text}' expected")

    def _or(self) -> Test:
        left = self._and()
        while self._take("or", "||"):
            left = _either(left, self._and())
        return left

    def _and(self) -> Test:
        left = self._one()
        while self._take("and", "&&"):
            left = _both(left, self._one())
        return left

    def _one(self) -> Test:
        if self._take("!", "not"):
            inner = self._one()
            return lambda record: not inner(record)
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        kind, word = self._next()
        if kind != "path":
            raise BadQuery("Expression expected")
        path, call = self._field_and_call(word)
        field_kind, read = self._field(path)
        if call in TEXT_CALLS:
            return self._text_call(read, TEXT_CALLS[call])
        operator = self._peek()[1]
        operator = SAME.get(operator, operator)
        if operator not in COMPARE:
            if field_kind == "bool":
                return lambda record: bool(read(record))
            raise BadQuery("Expression of type 'Boolean' expected")
        self.at += 1
        return self._compare(field_kind, read, operator)

    @staticmethod
    def _field_and_call(word: str) -> tuple[str, str]:
        """Split `Name.Contains` into the field and the text function."""
        path, _, last = word.rpartition(".")
        if path and last.lower() in TEXT_CALLS:
            return path, last.lower()
        return word.removesuffix(".Value"), ""

    def _field(self, path: str) -> Field:
        field = self.fields.get(path.lower())
        if field is None:
            raise BadQuery(f"No property or field '{path}' exists in type '{self.type_name}'")
        return field

    def _text_call(self, read: Callable[[Any], Any], holds: Callable[[str, str], bool]) -> Test:
        self._expect("(")
        wanted = fold(str(self._value()[1] or ""))
        self._expect(")")
        return lambda record: holds(fold(str(read(record) or "")), wanted)

    def _compare(self, kind: str, read: Callable[[Any], Any], operator: str) -> Test:
        value_kind, value = self._value()
        holds = COMPARE[operator]
        if value_kind == "null":
            return lambda record: holds(read(record) in (None, ""), True) if operator == "==" else bool(read(record))
        if value_kind != kind and {value_kind, kind} != {"guid", "text"}:
            raise BadQuery(
                f"Operator '{operator}' incompatible with operand types '{CLR[kind]}' and '{CLR[value_kind]}'"
            )
        if kind in ("text", "guid"):
            wanted = fold(str(value))
            return lambda record: holds(fold(str(read(record) or "")), wanted)
        return lambda record: holds(read(record), value)

    def _value(self) -> tuple[str, Any]:
        kind, word = self._next()
        lower = word.lower()
        if kind == "text":
            return "text", re.sub(r"\\(.)", r"\1", word[1:-1])
        if kind == "number":
            return "number", float(word)
        if kind == "path" and lower in ("true", "false"):
            return "bool", lower == "true"
        if kind == "path" and lower == "null":
            return "null", None
        if kind == "path" and lower == "guid":
            return "guid", self._guid()
        if kind == "path" and lower in ("datetime", "datetime.parse"):
            return "date", self._date()
        raise BadQuery("Expression expected")

    def _guid(self) -> str:
        self._expect("(")
        value = str(self._value()[1]).lower()
        self._expect(")")
        if not is_guid(value):
            raise BadQuery("Guid should contain 32 digits with 4 dashes")
        return value

    def _date(self) -> str:
        self._expect("(")
        parts = [self._value()[1]]
        while self._take(","):
            parts.append(self._value()[1])
        self._expect(")")
        if isinstance(parts[0], str):
            return parts[0][:10]
        if len(parts) < 3:
            raise BadQuery("No applicable constructor exists in type 'DateTime'")
        year, month, day = (int(part) for part in parts[:3])
        return f"{year:04d}-{month:02d}-{day:02d}"


def _either(left: Test, right: Test) -> Test:
    return lambda record: left(record) or right(record)


def _both(left: Test, right: Test) -> Test:
    return lambda record: left(record) and right(record)


def order_key(clause: str, fields: dict[str, Field], type_name: str) -> list[tuple[Callable[[Any], Any], bool]]:
    """Sort steps of an order clause: how to read the key, and whether it descends."""
    lower = {name.lower(): field for name, field in fields.items()}
    steps = []
    for part in clause.split(","):
        name, _, direction = part.strip().partition(" ")
        field = lower.get(name.lower())
        if field is None:
            raise BadQuery(f"No property or field '{name}' exists in type '{type_name}'")
        if direction.strip().upper() not in ("", "ASC", "DESC"):
            raise BadQuery("Syntax error")
        steps.append((_sortable(field), direction.strip().upper() == "DESC"))
    return steps


def _sortable(field: Field) -> Callable[[Any], Any]:
    kind, read = field
    if kind in ("text", "guid"):
        return lambda record: fold(str(read(record) or ""))
    if kind == "date":
        return lambda record: read(record) or ""
    return lambda record: read(record) or 0
