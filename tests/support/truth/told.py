"""What the product told after one run, what it may not know at that moment, and a false word."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class False_:
    """A false word: its kind, the invoice, and what is so instead."""

    kind: str
    id: str
    text: str


@dataclass
class Told:
    """What the product said after one run: `explain --json` by invoice, the table's rows, `sync --json`, its exit.

    `states` are those of every invoice right after the run, before anything was asked.
    """

    explained: dict[str, dict]
    table: list[dict] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    result: dict | None = None
    exit: int = 0


@dataclass
class Leave:
    """What the product cannot know, or may say, at this moment.

    `unknown`: invoices whose change nobody could have read yet · `touched`: those that somebody changed in Xero ·
    `forgotten`: those that moved after the copy that was put back was made: the product may say that it does not know
    who wrote what Xero says ·
    `adopted`: differences, by invoice, that a person ordered to be taken for right ·
    `causes`: what of the connection stands in the way · `doubt`: an answer was lost in this run or a moment ago ·
    `read`: this run has read both services to the end.
    """

    unknown: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    adopted: set[tuple[str, str]] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    doubt: bool = False
    read: bool = True
