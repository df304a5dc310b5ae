"""The button that leads to Xero's consent page."""

from html import escape
from typing import Any

from console.components.html import link


def connect_address(connection: str) -> str:
    """Where a consent begins: the console's route, which leads on to Xero on the word of whoever looks."""
    from console.desk import signed_links  # Its sentences are drawn with these parts.

    return link("xero/connect", connection, **signed_links.connect_pass(connection))


def connect_button(desk: Any, label: str = "Connect Xero", kind: str = "act") -> str:
    """What begins a consent, or for whom that is (HTML)."""
    if not desk.may("connect"):
        return f'<span class="quiet">{escape(label)}: {escape(desk.why_not("connect").lower())}</span>'
    return f'<a class="{kind}" href="{escape(connect_address(desk.name))}">{escape(label)}</a>'
