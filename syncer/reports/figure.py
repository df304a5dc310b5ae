"""A figure: a sentence, columns and rows with their types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame


Row = Mapping[str, Any]


@dataclass(frozen=True)
class FigureColumn:
    """A column of a figure: its name, and what its values are.

    `unit` is one of day, text, count, money (in the currency of the row), share (of a hundred), seconds, bytes, value.
    """

    name: str
    unit: str


@dataclass(frozen=True)
class Figure:
    """One question, answered in numbers."""

    key: str
    title: str
    sentence: str
    columns: Sequence[FigureColumn]
    rows: Sequence[tuple[Any, ...]]

    @property
    def names(self) -> list[str]:
        """What its columns are called, on the screen and in every file."""
        return [column.name for column in self.columns]

    def frame(self) -> "DataFrame":
        """Its numbers; money stays Decimal."""
        import pandas as pd  # Slow to load, and not needed to count.

        # Whole numbers stay whole also where one is missing.
        whole = {column.name: "Int64" for column in self.columns if column.unit in ("count", "seconds", "bytes")}
        return pd.DataFrame(list(self.rows), columns=self.names, dtype=object).astype(whole)
