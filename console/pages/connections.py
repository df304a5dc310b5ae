"""Connections: both accounts, the consent, the limits, and the settings with who changed them."""

from collections.abc import Callable
from html import escape

import streamlit as st

from console.components import connection_list, consent_button, formats, html, run_progress, setup_steps
from console.components.html import Column
from console.desk.desk import ConnectionOverview, Desk, SettingRow, failure_sentence
from syncer.domain.errors import SyncerError, WrongUsage
from syncer.domain.settings import DEFAULT, setting
from syncer.messages import access

OTHER = "Another: an account per currency, or a tax"


def show(desk: Desk) -> None:
    """One connection from both ends."""
    st.title("Connections", anchor=False)
    _news()
    connection_list.overview(desk)
    setup_steps.path(desk, "connect")
    account = desk.account()
    _choose(desk)
    html.html(f'<div class="sides apart">{_xero(desk, account)}{_crococlick(account)}</div>')
    _automatic(desk)
    with st.container(horizontal=True):
        connection_list.new_token(desk)
        _end(desk, account)
    _settings(desk)


def _news() -> None:
    """What has just happened, told once."""
    if organisation := st.query_params.pop("connected", ""):
        st.success(formats.plain(f"Connected to {organisation}."))
    if said := st.session_state.pop("said", ""):
        st.success(formats.plain(said))


def _choose(desk: Desk) -> None:
    choices = desk.choices()
    if not choices or not desk.may("connect"):
        return
    names = dict(choices)
    with st.form("organisation"):
        wanted = st.radio("The consent reaches several organisations. Which one is this connection for?",
                          list(names), format_func=lambda key: formats.plain(names[key]))  # fmt: skip
        if st.form_submit_button("Use this organisation", type="primary"):
            _carry_out(lambda: f"Connected to {desk.choose(str(wanted))}.")


def _carry_out(order: Callable[[], str]) -> None:
    """Do it and tell, or say why it cannot be."""
    try:
        st.session_state["said"] = order()
    except SyncerError as failure:
        st.error(formats.plain(failure_sentence(failure)))
        return
    st.rerun()


# -- both accounts ----------------------------------------------------------------------------------------------------


def _xero(desk: Desk, account: ConnectionOverview) -> str:
    row = account.row
    label = "Connect Xero" if account.state == "not_connected" else "Connect again"
    kind = "act" if account.state != "connected" else ""
    button = f'<p style="margin-top:.8rem">{consent_button.connect_button(desk, label, kind)}</p>'
    granted = (
        "".join(f"<li>{escape(what)}</li>" for what, _ in formats.scopes(account.scopes)) if account.scopes else ""
    )
    facts = [
        ("Organisation", escape(row.get("organisation_name") or "")),
        ("Country", escape(row.get("country") or "")),
        ("Base currency", escape(row.get("base_currency") or "")),
        ("Plan", escape(formats.plan(row.get("plan")))),
        ("Consent", _consent(desk, account)),
        ("It may", f'<ul class="scopes">{granted}</ul>' if granted else ""),
        ("Calls left", _calls(desk, account)),
        (
            "Last whole run",
            formats.ago(account.last_success["finished_at"], desk.now) if account.last_success else "none yet",
        ),
        ("Held", _held(account)),
    ]
    return _side("Xero", formats.connection_state(account.state), account.state, html.facts(facts) + button)


def _consent(desk: Desk, account: ConnectionOverview) -> str:
    if account.token_since is None:
        return ""
    by = f" by {escape(account.token_by)}" if account.token_by else ""
    given = account.row.get("connected_at")
    first = f"given {formats.ago(given, desk.now)}{by}<br>" if given else ""
    return f"{first}token renewed {formats.ago(account.token_since, desk.now)}"


def _calls(desk: Desk, account: ConnectionOverview) -> str:
    if not account.budget:
        return "not known yet"
    return f"{account.budget['day_left']:,} today, said {formats.ago(account.budget['made_at'], desk.now)}"


def _held(account: ConnectionOverview) -> str:
    if not account.held:
        return "nothing"
    return f"{formats.count(account.held, 'invoice')}, {escape(formats.monies(account.held_money))}"


def _crococlick(account: ConnectionOverview) -> str:
    row = account.row
    zone = str(row.get("timezone") or "").replace("_", " ")
    facts = [
        ("Location", escape(row.get("location_name") or row.get("location_id") or "")),
        ("Time zone", escape(f"{zone}: dates are read in it" if zone else "")),
    ]
    told = formats.source_state(account.source_state)
    if account.name != DEFAULT and account.source_state in access.TOKENS:
        told = (*told[:2], access.TOKENS[account.source_state])
    return _side("CrocoClick", told, account.source_state, html.facts(facts))


def _side(title: str, told: tuple[str, str, str], code: str, content: str) -> str:
    mark, word, sentence = told
    state = f"<p>{formats.mark(mark, word, formats.TONES.get(code, ''))}. {formats.prose(sentence)}</p>"
    return f'<div class="side"><h2>{title}</h2>{state}{content}</div>'


def _automatic(desk: Desk) -> None:
    """How invoices go over by themselves, and how soon."""
    event = desk.watch.last_event()
    delay = formats.lasted(desk.watch.delay().total_seconds())
    if event:
        told = f"Last webhook {formats.ago(event, desk.now)}. Changes arrive within seconds."
    else:
        told = (
            "CrocoClick has told of nothing in the last days: it tells apps of its marketplace, never a private "
            f"integration token. An invoice that was sent is then in Xero within {delay} or so."
        )
    waiting, _ = desk.watch.inbox()
    still = f"<p>{formats.count(waiting, 'event')} still to be looked at.</p>" if waiting else ""
    html.section("Automatic", f"<p>{formats.prose(run_progress.watch_told(desk))}</p><p>{told}</p>{still}")


def _end(desk: Desk, account: ConnectionOverview) -> None:
    if account.state == "not_connected" or not desk.may("disconnect"):
        return
    with st.popover("Disconnect"):
        st.markdown("Ends the connection at Xero and forgets its tokens; the ledger stays.")
        if st.button("Disconnect now", key="disconnect"):
            _carry_out(lambda: _disconnected(desk))


def _disconnected(desk: Desk) -> str:
    desk.disconnect()
    return "Disconnected. The ledger stays; connect again to go on."


# -- settings ---------------------------------------------------------------------------------------------------------


def _settings(desk: Desk) -> None:
    html.section("Settings")
    rows = desk.settings()
    if desk.may("change_setting"):
        _change(desk, rows)
    else:
        html.quiet(f"Changing settings: {desk.why_not('change_setting').lower()}")
    columns = [Column("Meaning"), Column("Value"), Column("Changed"), Column("")]
    html.html(html.table(columns, [_row(row, desk) for row in rows]))


def _row(row: SettingRow, desk: Desk) -> list[str]:
    change = ""
    if desk.may("change_setting"):
        change = html.anchor(html.link("connections", desk.name, setting=row.key), "Change")
    changed = f"{formats.ago(row.changed_at, desk.now)} by {escape(row.changed_by or '')}" if row.changed_at else ""
    return [
        f'{formats.prose(row.meaning)}<span class="under"><code>{escape(row.key)}</code></span>',
        escape(_value(row)),
        changed or '<span class="quiet">default</span>',
        f'<span class="keep">{change}</span>',
    ]


def _value(row: SettingRow) -> str:
    if row.is_flag:
        return "yes" if row.value == "true" else "no"
    return formats.listed(row.value) or "–"


def _change(desk: Desk, rows: list[SettingRow]) -> None:
    known = {row.key: row for row in rows}
    asked = st.query_params.get("setting", "")
    options = [*known, OTHER]
    with st.expander("Change a setting", expanded=bool(asked)):
        key = st.selectbox(
            "Setting", options, index=options.index(asked) if asked in known else 0,
            format_func=lambda key: known[key].meaning if key in known else key,
        )  # fmt: skip
        _form(desk, known.get(key))


def _form(desk: Desk, row: SettingRow | None) -> None:
    with st.form(f"setting {row.key if row else ''}"):
        key, value = _fields(row)
        if st.form_submit_button("Save", type="primary"):
            _save(desk, key, value)


def _fields(row: SettingRow | None) -> tuple[str, str]:
    if row is None:
        key = st.text_input("Name", placeholder="payment_account.EUR or tax.20%")
        return key, st.text_input("Value", placeholder="an account code, or a Xero TaxType")
    if row.is_flag:
        return row.key, "true" if st.toggle(row.meaning, value=row.value == "true") else "false"
    if setting(row.key).may_be_empty:  # then an empty field would not be the default
        return row.key, st.text_input("Value", value=row.value, placeholder="none", help=row.meaning)
    made = row.value if row.changed_at else ""
    shown = formats.listed(row.default)
    return row.key, st.text_input("Value", value=made, placeholder=shown or "empty", help=row.meaning)


def _save(desk: Desk, key: str, value: str) -> None:
    try:
        desk.change_setting(key, value)
    except WrongUsage as wrong:
        st.error(formats.plain(wrong.sentence))
        return
    st.session_state["said"] = "Saved. The next run goes by it."
    st.rerun()
