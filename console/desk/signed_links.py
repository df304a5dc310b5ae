"""Links that carry who begins a consent: signed, for ten minutes, for one browser, good once."""

import hmac
import json
import secrets
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

import streamlit as st

from console import startup_token
from console.desk.desk import Desk
from console.desk.installation import SIGN_IN_COOKIE, installation, signs_in
from console.desk.people import NotAllowed, Visitor, still

_KEY = secrets.token_bytes(32)  # of this process: what was handed out before a restart has to be asked for again


PASS_S = 600


NO_WORD = "Only the button on the Connections page begins a consent, in the browser that shows it. Press it there."


STALE = "This address was good for ten minutes, once. Open Connections and press the button there again."


_used: dict[str, float] = {}


_using = threading.Lock()


def connect_pass(connection: str) -> dict[str, str]:
    """What the address that begins a consent carries, so that no other site can make somebody begin one."""
    app = installation()
    return pass_for(Desk(app, connection).visitor, connection, st.context.cookies)


def pass_for(visitor: Visitor, connection: str, cookies: Mapping[str, str]) -> dict[str, str]:
    """Somebody's word that one consent may begin: for ten minutes, and from the browser with these cookies alone."""
    until = visitor.until.timestamp() if visitor.until else 0
    good_until = time.time() + PASS_S
    told = json.dumps(
        [visitor.name, visitor.mark, until, connection, _session(cookies), good_until, secrets.token_hex(12)]
    )
    return {"pass": urlsafe_b64encode(told.encode()).decode() + "." + _signed(told)}


def bearer(connection: str, given: str, cookies: Mapping[str, str]) -> Visitor:
    """Whose word an address carries, which is good once.

    Raises NotAllowed where it is forged, was made for something else or in another browser, is too old or was used.
    """
    written, _, sign = given.partition(".")
    try:
        told = urlsafe_b64decode(written).decode()
    except ValueError:
        raise NotAllowed(NO_WORD) from None
    if not hmac.compare_digest(sign.encode("utf-8", "replace"), _signed(told).encode()):
        raise NotAllowed(NO_WORD)
    name, mark, until, for_, session, good_until, number = json.loads(told)
    if for_ != connection or session != _session(cookies):
        raise NotAllowed(NO_WORD)
    if time.time() >= good_until or not _is_first_use(number, good_until):
        raise NotAllowed(STALE)
    if not signs_in():
        return Visitor(name, is_here=True)
    return still(installation(), Visitor(name, mark=mark, until=datetime.fromtimestamp(until, UTC)))


def _session(cookies: Mapping[str, str]) -> str:
    """A name for the browser's session: its sign-in, or where nobody signs in what let it in."""
    begins = SIGN_IN_COOKIE if signs_in() else startup_token.cookie()[0]
    ours = sorted((name, value) for name, value in cookies.items() if name.startswith(begins))
    return sha256(json.dumps(ours).encode()).hexdigest()


def _is_first_use(number: str, good_until: float) -> bool:
    """Whether a word was not used before; those that are too old to be used need not be remembered."""
    with _using:
        for old in [old for old, until in _used.items() if until <= time.time()]:
            del _used[old]
        if number in _used:
            return False
        _used[number] = good_until
        return True


def _signed(told: str) -> str:
    return hmac.new(_KEY, told.encode(), sha256).hexdigest()
