"""Where notices go: an address of Apprise each, which may hold a password and is never shown whole."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MASKS = ("...", "****")  # as Apprise writes them


@dataclass(frozen=True)
class NoticeChannel:
    """One address: `name` is its masked form, by which it is shown and remembered; `scheme` names the service."""

    name: str
    scheme: str
    _plugin: Any = field(repr=False)

    @property
    def is_usable(self) -> bool:
        """Whether the address was understood."""
        return self._plugin is not None

    def send(self, title: str, text: str) -> bool:
        """Send one message and say whether the service took it; raises nothing. It waits for some seconds at most."""
        if self._plugin is None:
            return False
        try:
            return bool(self._plugin.notify(body=text, title=title))
        except Exception:  # noqa: BLE001 — a hundred services, each with failures of its own; none may stop a run
            return False


def channels(addresses: Sequence[str]) -> list[NoticeChannel]:
    """The channels of these addresses, in order."""
    if not addresses:
        return []
    import apprise  # noqa: PLC0415 — it takes a quarter of a second, and most commands send nothing

    # What it logs of an address that it does not understand is the address.
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    found: list[NoticeChannel] = []
    for address in addresses:
        scheme = address.partition("://")[0] if "://" in address else "?"
        plugin: Any = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        shown = _masked(plugin.url(privacy=True)) if plugin else f"{scheme[:20]}://…"
        same = sum(one.name.partition(" ")[0] == shown for one in found)
        found.append(NoticeChannel(f"{shown} #{same + 1}" if same else shown, scheme[:20], plugin))
    return found


def _masked(url: str) -> str:
    """Apprise's form for eyes, without its parameters and with what it leaves readable of names and paths cut too."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    host = place.partition(":")[0]
    place = place if "." in host or host == "localhost" or ":" in place else _cut(place)
    named = ":".join(map(_cut, user.split(":"))) + at
    path = "/".join(map(_cut, parts.path.strip("/").split("/")))
    return f"{parts.scheme}://{named}{place}{'/' if path else ''}{path}"


def _cut(part: str) -> str:
    if not part or part in MASKS or (MASKS[0] in part and len(part) <= 5):
        return part
    return f"{part[0]}…"
