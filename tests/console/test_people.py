"""Roles as the desk enforces them and pages show them, and the trail of what people did."""

import csv
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from console import access
from console.desk import signed_links
from console.desk.desk import Desk
from console.desk.installation import installation
from console.desk.people import ITSELF, NotAllowed, Visitor, of_claims, provider_of
from console.desk.processes import STARTED
from console.request_gate import GATE
from syncer.app import environment
from syncer.cli.main import main
from syncer.domain.access import Right
from syncer.domain.errors import WrongUsage
from syncer.domain.model.books import TaxRate, books_text
from tests.support.callers import caller
from tests.support.pages import BOOKS, NOW, SECRET, Draw, press, script, seen
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S

CONFIGURED = {
    "CONSOLE_URL": "https://console.example.com", "CONSOLE_ADMINS": "boss@example.com", "OIDC_CLIENT_ID": "console",
    "OIDC_METADATA_URL": "https://id.example.com/.well-known/openid-configuration", "OIDC_CLIENT_SECRET": SECRET,
}  # fmt: skip


@pytest.fixture
def house(working: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """People sign in; there are two connections; one person of each role, and one who sees the second alone."""
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    installation.cache_clear()
    desk = Desk(installation(), visitor=ITSELF)
    desk.at("lyon").ledger.save_connection(NOW, location_id="Loc2", organisation_name="Dupont Lyon", state="connected")
    for who, role, limit in (
        ("vera@example.com", "viewer", None), ("olga@example.com", "operator", None),
        ("adam@example.com", "admin", None),
        ("luc@example.com", "operator", frozenset({"lyon"})), ("lea@example.com", "admin", frozenset({"lyon"})),
    ):  # fmt: skip
        desk.app.register.change(Right(who, role, limit), "a test", NOW)
    return desk


def of(house: Desk, name: str, connection: str = "default") -> Desk:
    """Somebody's desk."""
    return Desk(house.app, connection, visitor=Visitor(f"{name}@example.com"))


def held(desk: Desk) -> dict[str, Any]:
    """One that is held."""
    return dict(desk.find("FAC-2026-0142")[0])


Act = Callable[[Desk, dict[str, Any]], object]
ACTS: dict[str, tuple[str, Act]] = {
    "an order": ("operator", lambda desk, row: desk.order("skip", [row], {"because": "no"})),
    "a mapping": ("admin", lambda desk, row: desk.order("map", [row], {"tax.5.5%": "TAX001"})),
    "an order about contacts": ("operator", lambda desk, row: desk.contacts.give("ignore", "a@b.c", {"because": "x"})),
    "a sync": ("operator", lambda desk, row: desk.start_sync()),
    "an import": ("operator", lambda desk, row: desk.start("import-contacts")),
    "a check": ("operator", lambda desk, row: desk.start("check")),
    "a test invoice": ("operator", lambda desk, row: desk.start("test-invoice", "--contact", "Martin")),
    "stopping": ("operator", lambda desk, row: desk.stop({"run_id": "r", "finished_at": NOW})),
    "a setting": ("admin", lambda desk, row: desk.change_setting("due_days", "3")),
    "a mapping on Readiness": ("admin", lambda desk, row: desk.readiness.save({"due_days": "3"})),
    "connecting": ("admin", lambda desk, row: desk.consent_url()),
    "choosing": ("admin", lambda desk, row: desk.choose("o1")),
    "disconnecting": ("admin", lambda desk, row: desk.disconnect()),
    "a connection": ("admin", lambda desk, row: desk.add_connection("nice", "Loc3", "pit")),
    "naming": ("admin", lambda desk, row: desk.people.change("x@example.com", "viewer", None)),
    "removing": ("admin", lambda desk, row: desk.people.remove("x@example.com")),
}


def test_the_desk_refuses_whom_it_is_not_for(house: Desk):
    """Not only buttons: whoever may not is refused with a sentence, and nothing is on record."""
    row, before = held(house), len(house.app.register.audit({}, 500))
    for act, (least, do) in ACTS.items():
        for name in ("vera", "olga", "stranger") if least == "admin" else ("vera", "stranger"):
            with pytest.raises(WrongUsage) as refused:
                do(of(house, name), row)
            assert refused.value.sentence.endswith(("Nothing was changed.", "named 'default'.")), (act, name)
    assert len(house.app.register.audit({}, 500)) == before


def test_an_operator_cannot_take_a_mapping_back(house: Desk):
    """Undoing what an admin mapped would change a setting."""
    of(house, "adam").order("map", [held(house)], {"tax.5.5%": "TAX001"})
    with pytest.raises(NotAllowed, match="Mapping taxes and accounts is for admins; you are an operator here"):
        of(house, "olga").order("undo", [held(house)], {})


def test_a_right_is_read_anew_for_each_order(house: Desk):
    """Somebody whose right is taken away while the page is open is refused with the next press."""
    desk = of(house, "olga")
    desk.order("retry", [held(house)], {})
    house.app.register.change(Right("olga@example.com", "viewer"), "adam@example.com", NOW)
    with pytest.raises(NotAllowed, match="Trying invoices again is for operators and admins; you are a viewer here"):
        desk.order("retry", [held(house)], {})


def test_a_connection_that_is_not_theirs_is_as_if_it_were_not_there(house: Desk):
    """On every way to it: its numbers, its invoices, kept answers, a search, its orders."""
    of(house, "olga").groups()  # An answer that is kept for everybody who may see it.
    desk = of(house, "luc")
    ways: list[Callable[[], object]] = [
        desk.today, desk.groups, desk.latest, desk.account, desk.starting, lambda: desk.find("FAC"),
        lambda: desk.contacts, lambda: desk.readiness, lambda: desk.order("retry", [held(house)], {}),
        lambda: desk.start("sync"), desk.consent_url, lambda: desk.change_setting("due_days", "3"),
    ]  # fmt: skip
    for way in ways:
        with pytest.raises(WrongUsage, match="There is no connection named 'default'"):
            way()
    theirs = of(house, "luc", "lyon")
    assert (theirs.names(), list(theirs.visible or ())) == (["lyon"], ["lyon"])
    assert theirs.find_elsewhere("FAC") == {} and theirs.elsewhere() == []
    assert of(house, "vera", "lyon").find_elsewhere("FAC-2026-0142")["default"]
    assert {row["connection"] for row in theirs.people.audit({})} <= {"lyon"}


def test_an_admin_of_some_connections_names_nobody(house: Desk):
    """They could give themselves the others."""
    with pytest.raises(NotAllowed, match="for admins of all connections; you see some"):
        of(house, "lea", "lyon").people.change("lea@example.com", "admin", None)
    of(house, "lea", "lyon").change_setting("due_days", "3")


# -- who somebody is --------------------------------------------------------------------------------------------------


def claims(**said: Any) -> dict[str, Any]:
    """What a provider says of somebody."""
    return {
        "is_logged_in": True,
        "email": "Anna@Example.com",
        "email_verified": True,
        "iat": time.time(),
        "sub": "1",
        **said,
    }


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (claims(), ""),
        (claims(email_verified="true"), ""),
        (claims(email_verified=False), "unverified"),
        (claims(email_verified=None), "unverified"),
        (claims(email=""), "no_email"),
        (claims(iat=time.time() - 13 * 3600), "ended"),
        (claims(iat="never"), "ended"),
        (claims(is_logged_in=False), "not_signed_in"),
        ({"email": "boss@example.com", "email_verified": True}, "not_signed_in"),
        ({}, "not_signed_in"),
    ],
)
def test_whom_a_provider_vouches_for(house: Desk, said: dict[str, Any], trouble: str):
    """A verified email of a sign-in that is not too old, and nothing less."""
    configured = provider_of(house.app)
    assert configured
    found = of_claims(said, configured, datetime.now(UTC))
    assert (found.name, found.trouble) == ("" if trouble else "anna@example.com", trouble)


def test_an_email_of_which_nothing_is_said_counts_where_the_installation_says_so(
    house: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Some providers never say it of their own accounts; one that says no is believed all the same."""
    monkeypatch.setenv("OIDC_TRUST_EMAIL", "true")
    configured = environment.provider(environment.environment())
    assert configured
    silent = {name: value for name, value in claims().items() if name != "email_verified"}
    assert of_claims(silent, configured, datetime.now(UTC)).name == "anna@example.com"
    assert of_claims(claims(email_verified=False), configured, datetime.now(UTC)).trouble == "unverified"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"CONSOLE_ADMINS": ""}, "set CONSOLE_ADMINS as well"),
        ({"CONSOLE_ADMINS": "@example.com"}, "must be emails"),
        ({"OIDC_CLIENT_SECRET": "", "CONSOLE_URL": ""}, "set CONSOLE_URL and OIDC_CLIENT_SECRET as well"),
        ({"CONSOLE_URL": "https://example.com/console"}, "without a path"),
        ({"CONSOLE_SIGN_IN_HOURS": "0"}, "from 1 to 720"),
        ({"OIDC_TRUST_EMAIL": "perhaps"}, "true or false"),
    ],
)
def test_a_sign_in_that_is_configured_by_half_is_refused(changes: dict[str, str], says: str):
    with pytest.raises(WrongUsage, match=says):
        environment.provider(environment.environment({**CONFIGURED, **changes}))


# -- the door ---------------------------------------------------------------------------------------------------------


def test_with_a_sign_in_people_come_from_elsewhere_by_the_consoles_name(house: Desk):
    """Behind a proxy, by https: what is not the console's name leads nowhere, and cookies stay off plain lines."""
    far = ("192.0.2.7", 1)
    assert caller(far, "https://console.example.com").get("/xero/connect").status_code == 403
    assert "under another name" in caller(far, "https://evil.example").get("/xero/connect").text
    assert caller(far, "http://10.0.0.9:8501").get("/healthz").status_code == 200

    def baked(_: object) -> PlainTextResponse:
        answer = PlainTextResponse("")
        answer.set_cookie("one", "1")
        return answer

    app = Starlette(routes=[Route("/", baked)], middleware=[GATE])
    given = TestClient(app, base_url="https://console.example.com").get("/").headers["set-cookie"]
    assert given.endswith("; Secure")


def test_a_consent_begins_on_the_word_of_an_admin_and_ends_on_it(house: Desk):
    """The address that a page shows carries whose word it is: forged, for another connection or after they lost their
    right it begins nothing, and what they began is not finished either."""
    door = caller(name="https://console.example.com")
    begun = door.get("/xero/connect", params=word("adam@example.com", door.cookies))
    assert begun.status_code == 303
    told = word("adam@example.com", door.cookies)
    assert door.get("/xero/connect", params={**told, "connection": "lyon"}).status_code == 403
    forged = told["pass"][:-1] + ("0" if told["pass"][-1] != "0" else "1")
    for given in ({"pass": forged}, {"pass": "nonsense"}, {"pass": "W10=.x"}, {}):
        assert door.get("/xero/connect", params=given).status_code == 403
    over = word("adam@example.com", door.cookies, datetime.now(UTC) - timedelta(seconds=1))
    assert door.get("/xero/connect", params=over).status_code == 403
    refused = door.get("/xero/connect", params=word("vera@example.com", door.cookies))
    assert (refused.status_code, "Connecting is for admins; you are a viewer here" in refused.text) == (403, True)
    house.app.register.remove("adam@example.com", "boss@example.com", NOW)
    state = begun.headers["location"].split("state=")[1].split("&")[0]
    assert door.get("/xero/callback", params={"state": state, "code": "x"}).status_code == 403


def word(name: str, cookies: Mapping[str, str], until: datetime | None = None) -> dict[str, str]:
    """What the address carries that a page shows somebody in the browser with these cookies."""
    return signed_links.pass_for(
        Visitor(name, until=until or datetime.now(UTC) + timedelta(hours=1)), "default", dict(cookies)
    )


def test_a_word_is_good_once_for_ten_minutes_in_one_browser(house: Desk, monkeypatch: pytest.MonkeyPatch):
    """An address that is found in a log or a history begins nothing; it says where the button is."""
    door = caller(name="https://console.example.com")
    door.cookies.set("_streamlit_user", "anna's", domain="console.example.com")
    told = word("adam@example.com", {"_streamlit_user": "anna's"})
    for other in ({}, {"_streamlit_user": "another's"}, {"_streamlit_user": "anna's", "_streamlit_user__1": "x"}):
        taken = caller(name="https://console.example.com", is_let_in=False)
        taken.cookies.update(other)
        assert "in the browser that shows it" in taken.get("/xero/connect", params=told).text
    assert door.get("/xero/connect", params=told).status_code == 303
    again = door.get("/xero/connect", params=told)
    assert (again.status_code, "for ten minutes, once" in again.text) == (403, True)
    old = word("adam@example.com", {"_streamlit_user": "anna's"})
    now = time.time()
    monkeypatch.setattr("console.desk.signed_links.time.time", lambda: now + 601)
    late = door.get("/xero/connect", params=old)
    assert (late.status_code, "for ten minutes, once" in late.text) == (403, True)


def test_every_sign_in_can_be_ended_at_once(house: Desk, capsys: pytest.CaptureFixture[str]):
    """After a restore, or a lost laptop: the console signs its cookies with another key from its next start."""
    before = access.secrets_for_streamlit()["auth"]["cookie_secret"]
    assert access.secrets_for_streamlit()["auth"]["cookie_secret"] == before
    assert main(["end-sign-ins"]) == 0
    assert "when the console is started again" in capsys.readouterr().out
    assert access.secrets_for_streamlit()["auth"]["cookie_secret"] != before
    assert house.people.audit({}, 1)[0]["what"] == "ended_sign_ins"


# -- the pages --------------------------------------------------------------------------------------------------------


def signed_in(name: str, page: str, **address: str) -> AppTest:
    """A page as somebody sees it."""
    at = AppTest.from_function(script, default_timeout=PATIENCE_S, kwargs={"page": page})
    at.user = claims(email=f"{name}@example.com")
    for key, value in address.items():
        at.query_params[key] = value
    return at.run()


def test_a_viewer_sees_everything_and_finds_for_whom_the_rest_is(house: Desk):
    """No control that would only be refused, and a word on whom to ask."""
    for page, address, says in (
        ("invoice", {"invoice": "held1"}, "Answering: for operators and admins."),
        ("connections", {}, "Changing settings: for admins."),
        ("people", {}, "You are signed in as vera@example.com: viewer"),
    ):
        at = signed_in("vera", page, **address)
        assert not at.exception and says in seen(at), page
        assert not [one.label for one in at.button if not one.disabled and one.label not in ("Ask the accountant…",)]


def test_a_viewer_who_presses_what_is_off_changes_nothing(house: Desk):
    """A browser can send the press of a button that is disabled: nothing is started, written or put on record."""
    started = STARTED.get(house.name)
    audit, state = house.app.register.audit({}, 500), held(house)
    for page, label in (("today", "Sync now"), ("contacts", "Import now"), ("readiness", "Check now")):
        at = signed_in("vera", page)
        button = next(button for button in at.button if button.label == label)
        assert button.disabled, label
        button.proto.disabled = False  # As in a browser that was tampered with.
        button.click().run()
    assert (house.app.register.audit({}, 500), held(house)) == (audit, state)
    assert STARTED.get(house.name) is started and house.at_work() is None


def test_an_operator_answers_and_does_not_map(house: Desk):
    """What would change a setting is off, with a word on whom to ask."""
    rates = tuple(TaxRate(f"TAX00{number}", f"Livres {number}", Decimal("5.5")) for number in (4, 5))
    books = replace(BOOKS, tax_rates=(*BOOKS.tax_rates, *rates))
    house.ledger.mirror(NOW, reached=["books"], books=books_text(books))
    at = signed_in("olga", "invoice", invoice="held1")
    off = {one.label: (one.disabled, one.help) for one in at.button}
    assert off["Try again"][0] is False
    assert (True, "For admins.") in off.values()


def test_naming_somebody_and_reading_who_did(house: Desk):
    """An admin names a person for one connection; the trail says so, with what was and what is."""
    at = signed_in("adam", "people")
    assert "boss@example.com" in seen(at) and "by CONSOLE_ADMINS" in seen(at)
    at.text_input[0].set_value("Nina@Example.com")
    at.radio[0].set_value("operator")
    at.multiselect[0].set_value(["lyon"])
    press(at, "Save")
    assert "nina@example.com is an operator for lyon from now on." in seen(at)
    house.app.register.change(Right("nina@example.com", "admin"), "adam@example.com", NOW)
    told = seen(signed_in("adam", "people", tab="audit"))
    assert "Named a person nina@example.com" in told
    assert "role: operator → admin" in told and "connections: lyon → –" in told


@pytest.mark.parametrize(("who", "says"), [("nonsense", "Write an email"), ("boss@example.com", "by CONSOLE_ADMINS")])
def test_who_cannot_be_named(house: Desk, who: str, says: str):
    with pytest.raises(WrongUsage, match=says):
        of(house, "adam").people.change(who, "viewer", None)


def test_without_a_sign_in_the_page_says_who_acts(working: Desk, draw: Draw):
    at = draw("people")
    assert f"recorded as {working.visitor.name}" in seen(at) and "Sign-in is off" in seen(at)


# -- the trail --------------------------------------------------------------------------------------------------------


def test_each_thing_that_is_done_is_a_row_with_before_and_after(house: Desk):
    """Who, when, what, to which record, before and after; what the sync does is no person's deed."""
    desk = of(house, "adam")
    desk.order("skip", [held(house)], {"because": "Invoiced here"})
    desk.change_setting("due_days", "14")
    desk.change_setting("due_days", "")
    desk.contacts.csv()
    rows = desk.people.audit({"who": "adam@example.com"})
    told = [(row["what"], row["subject"], row["before"], row["after"]) for row in reversed(rows)]
    assert told == [
        ("order_skip", "held1", {"cause": "tax_unmapped", "ordered": None, "state": "held"},
         {"cause": "skipped_by_person", "ordered": "skip", "said": {"because": "Invoiced here"}, "state": "skipped"}),
        ("setting_changed", "due_days", {"value": None}, {"value": "14"}),
        ("setting_changed", "due_days", {"value": "14"}, {"value": None}),
        ("exported", "contacts", None, None),
    ]  # fmt: skip
    assert {row["connection"] for row in rows} == {"default"}
    assert rows[-1]["name"] == "FAC-2026-0142"
    house.ledger.end_skips(NOW.date() + timedelta(days=900), NOW)
    assert not [row for row in desk.people.audit({}) if row["by_whom"] in ("sync", "")]


def test_an_order_and_its_trace_are_one(house: Desk, monkeypatch: pytest.MonkeyPatch):
    """Where the trace cannot be written, nothing was ordered."""
    desk = of(house, "olga")
    before = held(house)["state"]
    house.app.store.transaction(lambda tx: tx.execute("ALTER TABLE audit RENAME TO lost"))
    with pytest.raises(Exception, match="audit"):
        desk.order("skip", [held(house)], {"because": "no"})
    assert held(house)["state"] == before


def test_the_trail_as_a_file(house: Desk):
    """Filtered as on the page; taking it away is itself on record; nothing a spreadsheet would calculate."""
    desk = of(house, "adam")
    desk.change_setting("reference", "=1+1 {number}")
    rows = list(
        csv.DictReader(io.StringIO(desk.people.csv({"what": "setting_changed", "who": "adam@example.com"}).decode()))
    )
    assert [(row["by_whom"], row["subject"]) for row in rows] == [("adam@example.com", "reference")]
    assert desk.people.audit({"what": "exported"})[0]["subject"] == "audit trail"
    day = {"since": NOW + timedelta(days=2), "until": NOW + timedelta(days=3)}
    assert desk.people.audit(day) == []


def test_a_sync_that_the_console_starts_is_asked_for_by_its_person(house: Desk, monkeypatch: pytest.MonkeyPatch):
    """The process that carries it out records whose word it was, not who runs the console."""
    monkeypatch.setenv("CROCOCLICK_TOKEN", "")  # It ends at once.
    desk = of(house, "olga")
    desk.start("sync")
    desk.wait_until_carried_out(60)
    (row,) = desk.people.audit({"what": "started"})
    assert (row["by_whom"], row["subject"]) == ("olga@example.com", "sync")
    assert desk.runs(1)[0]["asked_by"] == "olga@example.com"


# -- several connections ----------------------------------------------------------------------------------------------


def test_one_more_connection_from_the_page(lived: World, draw: Draw):
    """Its token is tried at once and never shown; then the page is about it, and both are listed."""
    lived.crm.add_location("Location2", "Lyon", "pit-lyon")

    def asked(location: str, token: str) -> str:
        at = draw("connections")
        fields = {one.label: one for one in at.text_input}
        fields["Name"].set_value("lyon")
        fields["CrocoClick location id"].set_value(location)
        fields["Private integration token"].set_value(token)
        return seen(press(at, "Add"))

    assert "has a connection already, named default" in asked("SandboxLocation00001", "pit-sandbox")
    assert "lyon is kept. CrocoClick does not accept the token" in asked("Location2", "pit-wrong")
    told = asked("Location2", "pit-lyon")
    assert "The new token is kept." in told and "pit-" not in told
    assert "All connections" in told and "Dupont Conseil" in told
    desk = Desk(installation(), "lyon")
    assert (desk.account().source_state, desk.account().row["location_name"]) == ("connected", "Lyon")
    assert [one.name for one in Desk(installation()).elsewhere()] == ["lyon"]


def test_a_hit_elsewhere_says_whose_it_is(house: Desk):
    """The search looks in every connection that this person may see, and Today tells which others need somebody."""
    told = {}
    for name in ("vera", "luc"):
        at = AppTest.from_function(script_of_lyon, default_timeout=PATIENCE_S)
        at.user = claims(email=f"{name}@example.com")
        told[name] = seen(at.run())
    assert "No invoice of Dupont Lyon fits “FAC-2026-0142”" in told["vera"] and "In Dupont Conseil" in told["vera"]
    assert "No invoice fits “FAC-2026-0142”" in told["luc"] and "Dupont Conseil" not in told["luc"]


def script_of_lyon() -> None:
    """The Invoices page of the second connection."""
    import streamlit as st

    from console.desk.desk import Desk
    from console.desk.installation import installation
    from console.pages import invoice

    st.query_params["find"] = "FAC-2026-0142"
    invoice.show(Desk(installation(), "lyon"))
