"""What a person can answer, right where the question stands: the advised answer, the choices, and what is always there.

An answer is given once for each press: the buttons get new keys with it, so a second click meets nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

import streamlit as st

from console.components import consent_button, formats, html
from console.desk.desk import Desk, failure_sentence
from syncer.domain.errors import SyncerError
from syncer.messages.remedies import OrderChoice, Remedy

LISTED = 50  # invoices in a message to the accountant
# What a button says before "and retry", where there is a choice; of one answer alone its own label is the button.
VERBS = {
    "link_contact": "Link",
    "keep_apart": "Keep apart",
    "overwrite": "Send again",
    "adopt": "Keep what Xero has",
    "reapply_payments": "Send again",
    "replace_payment": "Enter anew",
}
# Answers that settle everything alike, whether it is asked for or not.
FOR_ALL = ("map", "link_contact", "keep_apart")
CHOSEN = ("tax.", "revenue_account", "payment_account", "tracking.")  # what even of one possibility is a choice
ELSEWHERE = ("retry", "unskip", "connect", "sync", "resume")  # offered by other means than as the answer


@dataclass(frozen=True)
class For:
    """What an answer is for: the page's name for the records, their rows, and others that wait for the same."""

    where: str
    rows: Sequence[Mapping[str, Any]]
    others: Sequence[Mapping[str, Any]] = ()
    single: bool = False  # the page is about one invoice: its sync takes seconds and is waited for

    @staticmethod
    def named(rows: Sequence[Mapping[str, Any]]) -> str:
        """How many, with their money."""
        money = formats.monies(money_of(rows))
        return formats.count(len(rows), "invoice") + (f" worth {money}" if money else "")


def money_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """The money of some invoices, each currency for itself."""
    found: dict[str, Decimal] = {}
    for row in rows:
        found[row["currency"]] = found.get(row["currency"], Decimal(0)) + row["total"]
    return found


# -- what is offered ----------------------------------------------------------------------------------------------


def offer(desk: Desk, remedy: Remedy | None, target: For, last: str = "") -> None:
    """The controls that settle it; `last` tells of the order that can be taken back."""
    if not desk.may("retry"):
        _only_look(desk, remedy, target)
        return
    answers = [one for one in remedy.answers if one.name not in ELSEWHERE] if remedy else []
    now = desk.can_sync()
    with st.container():  # What comes and goes above the controls must not move them: an open list would close.
        notice(target.where)
        if remedy and any(one.name == "connect" for one in remedy.answers):
            html.html(consent_button.connect_button(desk))
        rows = _with_others(answers, target)
        _effect(rows, target, now, only_retry=not answers)
    with st.container(horizontal=True, vertical_alignment="bottom", key="answers"):
        if answers:
            _answer(desk, answers, rows, target, now)
        if target.rows:
            _retry(desk, target)
            if last:
                undo(desk, target, last)
            _skip(desk, target)
        if remedy and _concerns_the_accountant(remedy):
            _ask(desk, remedy, target)


def _only_look(desk: Desk, remedy: Remedy | None, target: For) -> None:
    """For a viewer who may not answer: who may, and the message to the accountant."""
    html.quiet(f"Answering: {desk.why_not('retry').lower()}")
    if remedy and _concerns_the_accountant(remedy):
        _ask(desk, remedy, target)


def take_back(desk: Desk, target: For) -> None:
    """The one answer to what was skipped."""
    notice(target.where)
    _effect(target.rows, target, desk.can_sync())
    label = (
        "Take the skip back" if target.single else f"Take the skip back of {formats.count(len(target.rows), 'invoice')}"
    )
    off = not target.rows or not desk.may("unskip")
    if st.button(label, key=_key("unskip", target), type="primary", disabled=off, help=desk.why_not("unskip") or None):
        _give(desk, "unskip", {}, target.rows, target)


def halted(desk: Desk) -> None:
    """A run did not believe that so many invoices are gone: a person says whether they are."""
    target = For("run", [])
    notice(target.where)
    shrunk = desk.shrunk()
    if shrunk is None:
        return
    sentence = formats.prose(shrunk)
    html.html(f"<p>{formats.mark('✕', 'Needs action', 'needs')}. {sentence}</p>")
    if st.button(
        "They are really gone",
        key=_key("confirm_shrink", target),
        disabled=not desk.can_sync(),
        help=desk.why_not("confirm_shrink") or None,
    ):
        _give(desk, "confirm_shrink", {}, [], target)


def undo(desk: Desk, target: For, last: str) -> None:
    """Take the last order back."""
    off = not desk.may("undo")
    if st.button("Undo the last order", key=_key("undo", target), help=formats.plain(last), disabled=off):
        _give(desk, "undo", {}, target.rows, target)


def _with_others(answers: Sequence[OrderChoice], target: For) -> Sequence[Mapping[str, Any]]:
    """Those that an answer is for: on an invoice's page a person says whether the others alike are meant too."""
    if not answers or not target.others:
        return target.rows
    others = f"{len(target.others):,} others that wait" if len(target.others) > 1 else "other one that waits"
    label = f"Also for the {others} for the same"
    everybody = all(one.name in FOR_ALL for one in answers)
    hint = f"Together {target.named([*target.rows, *target.others])}."
    wanted = st.checkbox(label, value=everybody, key=f"others-{target.where}", help=hint)
    return [*target.rows, *target.others] if wanted else target.rows


def _effect(rows: Sequence[Mapping[str, Any]], target: For, now: bool, only_retry: bool = False) -> None:
    """What an answer brings about, said before it is given."""
    if not rows:
        html.quiet("Nothing is ticked.", "")
        return
    if target.single and len(rows) == 1:
        then = "" if now else "Your answer counts with the next run."
    else:
        when = "with a sync that starts at once" if now else "in the next run"
        then = f"{target.named(rows)} {'goes' if len(rows) == 1 else 'go'} {when}."
    if only_retry and rows:
        then = _of_a_retry(rows)
    if then:
        html.quiet(formats.prose(then), "")


def _of_a_retry(rows: Sequence[Mapping[str, Any]]) -> str:
    """What trying again comes to where nothing else can be answered here: only what Xero refused is sent once more."""
    refused = sum(1 for row in rows if row["refused_stamp"])
    if refused == len(rows):
        return "Trying again sends the same to Xero once more; what is still wrong there is refused again."
    what = "it goes" if len(rows) == 1 else "they go"
    return f"Trying again changes nothing before the cause is gone. Once it is, {what} over in the next run."


def _answer(
    desk: Desk, answers: Sequence[OrderChoice], rows: Sequence[Mapping[str, Any]], target: For, now: bool
) -> None:
    """One answer is a button; several are a list to choose from, with what we advise chosen already."""
    size = "" if target.single and len(rows) == 1 else formats.count(len(rows), "invoice")
    is_choice = len(answers) > 1 or any(key.startswith(CHOSEN) for key in answers[0].said)
    chosen = _choose(answers, target) if is_choice else answers[0]
    label = _verb(chosen or answers[0], size, now) if is_choice else f"{answers[0].label}{f' ({size})' if size else ''}"
    kind: Literal["primary", "secondary"] = "primary" if is_choice or answers[0].advised else "secondary"
    why = desk.why_not((chosen or answers[0]).name)
    disabled = chosen is None or not rows or bool(why)
    if st.button(label, key=_key("answer", target), type=kind, disabled=disabled, help=why or None) and chosen:
        _give(desk, chosen.name, chosen.said, rows, target)


def _choose(answers: Sequence[OrderChoice], target: For) -> OrderChoice | None:
    advised = next((place for place, one in enumerate(answers) if one.advised), None)
    picked = st.selectbox(
        "Answer", range(len(answers)), index=advised, format_func=lambda place: answers[place].label,
        key=f"choice-{target.where}", placeholder="Choose", label_visibility="collapsed", width=360,
    )  # fmt: skip
    return None if picked is None else answers[picked]


def _verb(answer: OrderChoice, size: str, now: bool) -> str:
    if answer.name == "map":
        made = any(key.startswith("create_") for key in answer.said)
        verb = "Create" if made else "Map" if any(key.startswith("tax.") for key in answer.said) else "Choose"
    else:
        verb = VERBS.get(answer.name, "Answer")
    if answer.name not in FOR_ALL:
        return f"{verb} ({size})" if size else verb
    return f"{verb} and retry {size}".strip() if now else f"{verb} for {size}" if size else verb


def _retry(desk: Desk, target: For) -> None:
    hint = desk.why_not("retry") or "Decided anew, whatever was refused before."
    if st.button("Try again", key=_key("retry", target), help=hint, disabled=not desk.may("retry")):
        _give(desk, "retry", {}, target.rows, target)


def _skip(desk: Desk, target: For) -> None:
    """Leave it out, with a reason, until a day or until it is taken back."""
    if not desk.may("skip"):
        return
    size = "this invoice" if target.single else formats.count(len(target.rows), "invoice")
    with st.popover("Skip…", key=_key("skipping", target)), st.form(_key("skip", target), border=False):
        html.quiet(formats.prose(f"Leaves {size} out. What is in Xero stays as it is."))
        because = st.text_input("Why", placeholder="For colleagues who ask later")
        tomorrow = (desk.now + formats.offset(desk.now)).date() + timedelta(days=1)
        until = st.date_input("Until (may stay empty)", value=None, min_value=tomorrow, format="DD/MM/YYYY")
        if st.form_submit_button(f"Skip {size}", type="primary"):
            said = {"because": because.strip(), **({"until": until.isoformat()} if until else {})}
            _give(desk, "skip", said, target.rows, target)


# -- giving it ----------------------------------------------------------------------------------------------------


def _key(name: str, target: For) -> str:
    return f"{name}-{target.where}-{st.session_state.get('turn', 0)}"


def _give(desk: Desk, name: str, said: Mapping[str, str], rows: Sequence[Mapping[str, Any]], target: For) -> None:
    """Write the order down, start the sync that carries it out, and tell what came of the press."""
    st.session_state["turn"] = st.session_state.get("turn", 0) + 1
    try:
        given = desk.order(name, rows, said)
    except SyncerError as failure:
        _remember(target.where, failure_sentence(failure), "refused")
        st.rerun()
    st.session_state.get("left_out", {}).pop(target.where, None)  # What is left is another question.
    alone = target.single and len(rows) == 1
    told = f"On record{'' if alone or not rows else f' for {target.named(rows)}'}: {given.sentence}"
    if name == "skip" or not desk.can_sync():
        _remember(target.where, told, "given")
    elif alone:
        _remember(target.where, told, "given")
        desk.carry_out(rows[0]["source_id"])
        with st.spinner("Syncing this invoice"):
            desk.wait_until_carried_out(30)
        _remember(target.where, "Your answer is on record, and a run has looked at the invoice since.", "given")
    else:
        desk.carry_out()
        _remember(target.where, f"{told} The sync has started.", "given")
    st.rerun()


def _remember(where: str, sentence: str, kind: str) -> None:
    st.session_state["notice"] = {"where": where, "sentence": sentence, "kind": kind}


def notice(where: str) -> None:
    """What came of the last press on this page."""
    found = st.session_state.get("notice")
    if found and found["where"] == where:
        show = st.warning if found["kind"] == "refused" else st.success
        show(formats.plain(found["sentence"]))
    elif found:
        del st.session_state["notice"]


# -- the accountant -----------------------------------------------------------------------------------------------


def _concerns_the_accountant(remedy: Remedy) -> bool:
    choices = [one for one in remedy.answers if one.name == "map"]
    return "accountant" in f"{remedy.who} {remedy.sentence}" or bool(choices)


def _ask(desk: Desk, remedy: Remedy, target: For) -> None:
    """A message that is ready to be sent."""
    with st.popover("Ask the accountant…", key=_key("ask", target)):
        html.quiet("Copy it into a message.")
        st.code(message(desk, remedy, target), language=None, wrap_lines=True)


def message(desk: Desk, remedy: Remedy, target: For) -> str:
    """What the accountant has to know: which invoices, why they wait, and what is asked."""
    rows = target.rows
    reasons = list(dict.fromkeys(formats.capital(formats.because(row)) for row in rows[:LISTED]))
    same = reasons[0] if len(reasons) == 1 else ""
    organisation = desk.organisation() or "Xero"
    listed = [_listed(row, "" if same else formats.because(row)) for row in rows[:LISTED]]
    if len(rows) > LISTED:
        listed.append(f"- and {len(rows) - LISTED:,} more")
    wait = "waits" if len(rows) == 1 else "wait"
    asked = remedy.sentence.removeprefix("Ask the accountant to ").replace("`", "")
    paragraphs = [
        f"Subject: {formats.count(len(rows), 'invoice')} from CrocoClick {wait} for Xero",
        f"Hello,\n\n{target.named(rows)} cannot be settled in Xero ({organisation}) as things are.",
        same,
        f"What would help: {asked[:1].lower()}{asked[1:]}",
        "\n".join(listed),
        "Thank you",
    ]
    return "\n\n".join(part for part in paragraphs if part)


def _listed(row: Mapping[str, Any], why: str) -> str:
    told = [row["number"] or "no number", row["contact_name"], formats.money(row["total"], row["currency"])]
    if row["issue_date"]:
        told.append(f"issued {formats.day(row['issue_date'])}")
    return f"- {' · '.join(part for part in told if part)}{f': {why}' if why else ''}"
