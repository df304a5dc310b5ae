"""Questions that were saved: their parameters, their chart, and what may be saved at all. Nothing here asks them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from syncer.domain.errors import WrongUsage

KINDS: Mapping[str, str] = {"date": "a date", "number": "a number", "text": "text", "choice": "a choice"}
CHARTS: Mapping[str, str] = {"": "Table only", "bars": "Bars", "line": "Line"}
# What the address of a page says besides; `$connection` is always the connection that is shown.
CONNECTION = "connection"
TAKEN = frozenset({CONNECTION, "question", "sql"})
TITLE, SENTENCE, SQL, PARAMETERS, TEXT = 80, 200, 20_000, 10, 500
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,30}")
# What may hold a dollar that means nothing: texts, quoted names, remarks.
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|\$(?P<name>[A-Za-z_]\w*)", re.DOTALL
)


@dataclass(frozen=True)
class Parameter:
    """A value that a question asks for; `default` may be relative: today, 30 days ago, this month, this year."""

    name: str
    kind: str = "text"
    label: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What a person reads beside the control."""
        return self.label or self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Chart:
    """Which columns of the answer are drawn, and how; no kind means that the table is enough."""

    kind: str = ""
    x: str = ""
    y: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Saved:
    """A question with a name; those that come with the product were made by nobody."""

    id: str
    title: str
    sentence: str
    sql: str
    parameters: tuple[Parameter, ...] = ()
    chart: Chart = Chart()
    made_by: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it comes with the product: it can be copied, not changed."""
        return self.changed_at is None


def parameters_in(sql: str) -> list[str]:
    """The names of the parameters in a text, in their order, `$connection` apart; DuckDB has the last word."""
    names = [match["name"].lower() for match in _TOKEN.finditer(sql) if match["name"]]
    return [name for name in dict.fromkeys(names) if name != CONNECTION]


def guessed(name: str) -> Parameter:
    """What a parameter is likely to be, from its name; a person may say otherwise."""
    last = name.rpartition("_")[2]
    if last in ("since", "until", "from", "to", "before", "after", "date", "day", "month"):
        return Parameter(name, "date", default="30 days ago" if last in ("since", "from", "after") else "today")
    return Parameter(name, "number" if last in ("days", "least", "most", "rows", "limit", "number") else "text")


def default(parameter: Parameter, today: date) -> str:
    """The value that a parameter begins with, relative ones reckoned from today."""
    told = parameter.default.strip()
    if parameter.kind == "choice" and not told:
        return parameter.choices[0] if parameter.choices else ""
    if parameter.kind != "date":
        return told
    if found := re.fullmatch(r"(\d{1,4}) days? ago", told):
        return (today - timedelta(days=int(found[1]))).isoformat()
    fixed = {"today": today, "this month": today.replace(day=1), "this year": today.replace(month=1, day=1)}
    return fixed[told].isoformat() if told in fixed else told


def value(parameter: Parameter, given: str) -> Any:
    """What a person gave, as what it means: nothing at all is NULL, but for text. Raises WrongUsage."""
    text = given.strip()
    if parameter.kind == "text":
        if len(given) > TEXT:
            raise WrongUsage(f"{parameter.called}: {TEXT} characters at most.")
        return given
    if not text:
        return None
    if parameter.kind == "date":
        return _date(parameter, text)
    if parameter.kind == "number":
        return _number(parameter, text)
    if text not in parameter.choices:
        raise WrongUsage(f"{parameter.called}: choose one of {', '.join(parameter.choices)}.")
    return text


def values(parameters: Sequence[Parameter], given: Mapping[str, str], today: date) -> dict[str, Any]:
    """The values of all parameters, those not given by their default. Raises WrongUsage."""
    return {one.name: value(one, given.get(one.name, default(one, today))) for one in parameters}


def _date(parameter: Parameter, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"{parameter.called}: {text!r} is no date; write it as 2026-11-21.") from None


def _number(parameter: Parameter, text: str) -> int | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= Decimal(10) ** 18:
        raise WrongUsage(f"{parameter.called}: {text!r} is no number that can be used.")
    # A whole number may count days and rows, for which DuckDB takes nothing else.
    return int(number) if number == number.to_integral_value() else number


# -- what may be saved ------------------------------------------------------------------------------------------------


def checked(question: Saved) -> Saved:
    """The question as it is kept: trimmed, its parameters those of its text. Raises WrongUsage."""
    title, sentence, sql = question.title.strip(), question.sentence.strip(), question.sql.strip()
    if not title or not sentence:
        raise WrongUsage("A question needs a title, and a sentence that says what it answers.")
    for what, text, most in (("title", title, TITLE), ("sentence", sentence, SENTENCE), ("text", sql, SQL)):
        if len(text) > most:
            raise WrongUsage(f"The {what} is longer than {most:,} characters.")
    names = parameters_in(sql)
    known = {one.name: one for one in question.parameters}
    parameters = tuple(_checked(known.get(name, Parameter(name))) for name in names)
    if len(parameters) > PARAMETERS:
        raise WrongUsage(f"A question can have {PARAMETERS} parameters at most.")
    chart = question.chart if question.chart.kind and question.chart.x and question.chart.y else Chart()
    if chart.kind not in CHARTS:
        raise WrongUsage(f"There is no chart called {chart.kind!r}.")
    return Saved(question.id, title, sentence, sql, parameters, chart, question.made_by)


def _checked(parameter: Parameter) -> Parameter:
    if not _NAME.fullmatch(parameter.name):
        raise WrongUsage(f"${parameter.name}: the name of a parameter is a short word in small letters.")
    if parameter.name in TAKEN:
        raise WrongUsage(f"${parameter.name}: this name is taken; choose another.")
    if parameter.kind not in KINDS:
        raise WrongUsage(f"{parameter.called}: there is no kind called {parameter.kind!r}.")
    choices = tuple(dict.fromkeys(choice.strip() for choice in parameter.choices if choice.strip()))
    if parameter.kind == "choice" and not choices:
        raise WrongUsage(f"{parameter.called}: a choice needs something to choose from.")
    label = parameter.label.strip()[:TITLE]
    made = Parameter(parameter.name, parameter.kind, label, parameter.default.strip()[:TEXT], choices)
    value(made, default(made, date(2026, 1, 1)))
    return made


# -- as rows ----------------------------------------------------------------------------------------------------------


def as_row(question: Saved) -> dict[str, str]:
    """The question as the ledger keeps it; who changed it when is written there."""
    return {
        "question_id": question.id, "title": question.title, "sentence": question.sentence, "sql": question.sql,
        "parameters": json.dumps([asdict(one) for one in question.parameters], ensure_ascii=False),
        "chart": json.dumps(asdict(question.chart) if question.chart.kind else {}, ensure_ascii=False),
        "made_by": question.made_by,
    }  # fmt: skip


def from_row(row: Mapping[str, Any]) -> Saved:
    """A question as it was kept."""
    return Saved(
        row["question_id"], row["title"], row["sentence"], row["sql"],
        tuple(parameter(one) for one in json.loads(row["parameters"] or "[]")),
        Chart(**json.loads(row["chart"] or "{}")), row["made_by"], row["changed_at"], row["changed_by"],
    )  # fmt: skip


def parameter(told: Mapping[str, Any]) -> Parameter:
    """A parameter as it is written down."""
    return Parameter(**{**told, "choices": tuple(told.get("choices", ()))})
