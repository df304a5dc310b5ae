"""The page frame: the search box, the state of the connection, and the page that the address asks for."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

import streamlit as st

from console import access
from console.components import formats, html, pause_control
from console.components.html import NAME
from console.desk.desk import Desk, failure_sentence
from console.desk.installation import installation
from console.pages import (
    attention,
    closing,
    connections,
    contacts,
    invoice,
    people,
    questions,
    readiness,
    reports,
    runs,
    sql,
    today,
)
from syncer.domain.errors import SyncerError
from syncer.domain.settings import DEFAULT
from syncer.storage.database.damage import of_disk

LOG = logging.getLogger("console")


def main() -> None:
    """Draw the frame and the page in it."""
    st.set_page_config(page_title=NAME, layout="wide")
    html.style()
    try:
        _draw(_desk())
    except SyncerError as failure:
        _cannot(failure)
    except OSError as error:
        if (known := of_disk(error)) is None:
            raise
        _cannot(known)
    html.quiet(access.said_everywhere())


def _cannot(failure: SyncerError) -> None:
    st.title("This cannot be shown now", anchor=False)
    html.html(f"<p>{formats.prose(failure_sentence(failure))}</p>")


def _desk() -> Desk:
    """The desk of the connection in the address; without one, of the one before, or the first this person may see."""
    # The bar at the top leads to pages without saying of which connection.
    asked = st.query_params.get("connection") or st.session_state.get("connection", "")
    desk = Desk(installation(), asked or DEFAULT)
    if not asked and desk.right is not None and not desk.is_there():
        desk = desk.at(next(iter(desk.names()), DEFAULT))
    st.session_state["connection"] = desk.name
    if desk.name != DEFAULT and "connection" not in st.query_params:
        st.query_params["connection"] = desk.name
    return desk


def _draw(desk: Desk) -> None:
    if desk.right is not None and desk.is_there():
        desk.notice()
    pages = _pages(desk)
    is_known = desk.right is not None
    page = st.navigation(list(pages.values()), position="top" if is_known else "hidden")
    if not is_known:
        access.door(desk, page.url_path)
        return
    if goes := access.awaited():
        path, asked = goes
        st.switch_page(next(one for one in pages.values() if one.url_path == path), query_params=asked)
    st.set_page_config(page_title=f"{page.title} · {NAME}")
    _top(desk, pages["invoice"])
    if desk.is_there():
        pause_control.banner(desk)
        page.run()
    else:
        _no_such_connection(desk)


def _no_such_connection(desk: Desk) -> None:
    st.title(formats.plain(f"There is no connection named “{desk.name}”"), anchor=False)
    known = "".join(f"<li>{html.anchor(html.link('', name), name)}</li>" for name in desk.names())
    html.html(f"<p>Those that there are:</p><ul>{known}</ul>" if known else "<p>There is none yet.</p>")


def _pages(desk: Desk) -> dict[str, st.Page]:
    def page(
        show: Callable[[Desk], None], title: str, path: str, default: bool = False, hidden: bool = False
    ) -> st.Page:
        seen: Literal["hidden", "visible"] = "hidden" if hidden else "visible"
        return st.Page(partial(show, desk), title=title, url_path=path, default=default, visibility=seen)

    return {
        "today": page(today.show, "Today", "", True),
        # The first page has no address of its own; an address with its name shows it too.
        "named": page(today.show, "Today", "today", hidden=True),
        "invoice": page(invoice.show, "Invoices", "invoice"),
        "attention": page(attention.show, _attention(desk), "attention"),
        "contacts": page(contacts.show, "Contacts", "contacts"),
        "readiness": page(readiness.show, "Readiness", "readiness"),
        "runs": page(runs.show, "Runs", "runs"),
        "closing": page(closing.show, "Closing", "closing"),
        "reports": page(reports.show, "Reports", "reports"),
        # These two hang under Reports.
        "questions": page(questions.show, "Questions", "questions", hidden=True),
        "sql": page(sql.show, "SQL", "sql", hidden=True),
        "connections": page(connections.show, "Connections", "connections"),
        "people": page(people.show, "People", "people"),
    }


def _attention(desk: Desk) -> str:
    """The name of the work list, with the number of invoices that need somebody."""
    number = 0
    with suppress(SyncerError):  # The page says what is the matter.
        number = desk.needs_somebody()
    return f"Attention {number:,}" if number else "Attention"


def _top(desk: Desk, invoice_page: st.Page) -> None:
    """The search box and the state of the connection."""
    box, told = st.columns([3, 2], vertical_alignment="center")
    box.text_input(
        "Search", key="search", type="search", label_visibility="collapsed", on_change=_asked,
        placeholder="Search a number, name, email or amount  ( / )",
    )  # fmt: skip
    html.search_key()
    with told, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if desk.is_there():
            html.html(_connection_line(desk))
            pause_control.button(desk)
        _other_connections(desk)
        access.person(desk)
    if asked := st.session_state.pop("asked", ""):
        _go(desk, asked, invoice_page)


def _asked() -> None:
    st.session_state["asked"] = st.session_state["search"].strip()
    st.session_state["search"] = ""


def _go(desk: Desk, asked: str, invoice_page: st.Page) -> None:
    """To the invoice where the search means just one, else to the list of those it may mean."""
    found = desk.search(asked)
    is_alone = len(found.invoices) == 1 and not found.contacts and not desk.find_elsewhere(asked)
    where = {"invoice": found.invoices[0]["source_id"]} if is_alone else {"find": asked}
    if desk.name != "default":
        where["connection"] = desk.name
    st.switch_page(invoice_page, query_params=where)


def _connection_line(desk: Desk) -> str:
    state = desk.state()
    mark, word, _ = formats.connection_state(state)
    organisation = desk.organisation()
    named = f"{organisation} · " if organisation and state == "connected" else ""
    told = formats.mark(mark, f"{named}{word}", formats.TONES.get(state, ""))
    address = html.link("connections", desk.name)
    return f'<div style="text-align:right"><a href="{address}">{told}</a></div>'


def _other_connections(desk: Desk) -> None:
    names = desk.names()
    if len(names) < 2:
        return
    place = names.index(desk.name) if desk.name in names else 0
    labels = {name: desk.named(name) for name in names}
    wanted = st.selectbox(
        "Connection", names, index=place, label_visibility="collapsed", width=260, format_func=labels.__getitem__
    )
    if wanted != desk.name:
        st.query_params.from_dict({"connection": wanted})
        st.rerun()


def script_failed(failure: Exception) -> bool:
    """Our own mistake: to the log with its trace, to the screen in a sentence."""
    LOG.error("a page could not be drawn", exc_info=failure)
    st.markdown(
        "This page could not be drawn. What went wrong is in the console's log; nothing was changed in the books."
    )
    return True


if __name__ == "__main__":
    main()
