"""What a person may ask in SQL, and the questions that were saved: a part of the desk."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from syncer.app.installation import App
from syncer.domain.errors import WrongUsage
from syncer.reports import saved_questions
from syncer.reports.saved_questions import (
    Chart,
    Saved,
)
from syncer.storage.analysis.copy import Table
from syncer.storage.analysis.query import Asking, Question
from syncer.storage.ledger import saved_questions as shelf

AT_ONCE, AT_ONCE_FOR_ALL = 2, 3
UNWATCHED_S = 10.0  # after which nobody waits for an answer: the page was left, or its tab was closed


_door = threading.Lock()
_under_way: list[tuple[str, Asking]] = []


@dataclass(frozen=True)
class AskingDesk:
    """Questions to the analysis tables, of what this person may see."""

    app: App
    name: str
    visible: Sequence[str] | None
    by: str
    now: datetime
    may_save: bool

    @property
    def example(self) -> str:
        """A text to begin with."""
        return shelf.EXAMPLE

    def tables(self) -> Sequence[Table]:
        """The analysis tables and their columns, in words."""
        return _tables(self.app)

    def begin(self, sql: str, given: Mapping[str, Any]) -> Asking:
        """Start a question; its page waits for the answer. Raises WrongUsage when enough is asked already."""
        with _door:
            _under_way[:] = [one for one in _under_way if not one[1].is_over]
            mine = sum(1 for by, _ in _under_way if by == self.by)
            if mine >= AT_ONCE:
                raise WrongUsage(f"{mine} of your questions are still being answered: wait for one, or cancel it.")
            if len(_under_way) >= AT_ONCE_FOR_ALL:
                raise WrongUsage("Others are asking as much as can be answered at once: try again in a moment.")
            question = Question(sql, {**given, saved_questions.CONNECTION: self.name})
            asking = self.app.analysis.begin(question, self.visible, UNWATCHED_S)
            _under_way.append((self.by, asking))
            return asking

    def questions(self) -> list[Saved]:
        """Those that come with the product, then those that people saved."""
        return [*_ours(), *map(saved_questions.from_row, shelf.kept(self.app.store))]

    def question(self, question_id: str) -> Saved | None:
        """One of them."""
        return next((one for one in self.questions() if one.id == question_id), None)

    def save(self, question: Saved, in_place_of: Saved | None = None) -> str:
        """Keep a question, as a new one or in place of what was seen, and return its id; raises WrongUsage."""
        self._must_be_allowed()
        if in_place_of and in_place_of.is_ours:
            raise WrongUsage("A question that comes with the product stays as it is: save yours as another.")
        id_ = in_place_of.id if in_place_of else secrets.token_hex(6)
        row = saved_questions.as_row(saved_questions.checked(replace(question, id=id_, made_by=self.by)))
        shelf.keep(self.app.store, row, self.by, self.now, in_place_of.changed_at if in_place_of else None)
        return id_

    def delete(self, question: Saved) -> None:
        """Forget a question that somebody saved; raises WrongUsage."""
        self._must_be_allowed()
        shelf.delete(self.app.store, question.id, self.by, self.now)

    def _must_be_allowed(self) -> None:
        if not self.may_save:
            raise WrongUsage("Your role lets you ask questions, not save or delete them.")


@cache
def _ours() -> Sequence[Saved]:
    def question(row: Mapping[str, Any]) -> Saved:
        parameters = tuple(saved_questions.parameter(one) for one in row.get("parameters", ()))
        chart = Chart(**row.get("chart", {}))
        return Saved(row["id"], row["title"], row["sentence"], row["sql"].strip(), parameters, chart)

    return [question(row) for row in shelf.shipped()]


@cache
def _tables(app: App) -> Sequence[Table]:
    """They do not change while this process runs."""
    return app.analysis.described()
