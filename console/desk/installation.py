"""The one installation of this process."""

from functools import cache

from console.desk.people import provider_of
from syncer.app.installation import App


@cache
def installation() -> App:
    """The one installation of this process."""
    return App.open()


SIGN_IN_COOKIE = "_streamlit_user"


def signs_in() -> bool:
    """Whether people sign in here."""
    return provider_of(installation()) is not None
