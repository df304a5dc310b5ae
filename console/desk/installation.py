"""The one installation of this process."""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, TypeVar

from console.desk.people import provider_of
from syncer.app.installation import App

T = TypeVar("T")


class Once(Protocol):
    """Keeps the answer to a question of many rows while the ledger stands still."""

    def __call__(self, asked: tuple[Any, ...], answer: Callable[[], T]) -> T:
        """The answer that is kept under `asked`, else the one that is worked out now."""


@cache
def installation() -> App:
    """The one installation of this process."""
    return App.open()


SIGN_IN_COOKIE = "_streamlit_user"


def signs_in() -> bool:
    """Whether people sign in here."""
    return provider_of(installation()) is not None
