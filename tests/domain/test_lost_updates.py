"""Whether a change whose answer was lost has arrived, as Xero's heads and words tell."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.model.books import Amendment, Document, DocumentLine
from syncer.domain.planning.lost_updates import Arrival, as_sent, judge, shown, wording, wording_sent
from tests.support.domain_samples import head

LINE = DocumentLine("Work", Decimal("1.5"), Decimal("19.99"), "706", "TAX001")
DOCUMENT = Document(
    source_id="i1",
    number="F-1",
    contact_id="x1",
    issue_date=date(2026, 9, 1),
    due_date=date(2026, 10, 1),
    currency="EUR",
    reference="Work",
    url="https://crm.example/i1",
    status="AUTHORISED",
    sent_to_contact=True,
    inclusive=False,
    lines=(LINE,),
    total=Decimal("35.98"),
    total_tax=Decimal("6.00"),
)
SENT = as_sent(DOCUMENT)
FIELDS = sorted(SENT)


def test_a_change_is_told_by_what_a_head_shows():
    """Number, customer, dates, currency, amounts and status; what is not sent is not expected."""
    assert SENT["total"] == "35.98" and SENT["status"] == "AUTHORISED" and SENT["due_date"] == "2026-10-01"
    assert "due_date" not in as_sent(replace(DOCUMENT, due_date=None))
    assert as_sent(Amendment("x", "F-2", "", None, None)) == {"number": "F-2"}
    assert set(SENT) <= set(shown(head("F-1")))


def test_one_field_that_did_not_move_says_that_nothing_arrived():
    """A change is carried out whole."""
    before = {**SENT, "number": "F-0", "due_date": "2026-09-30"}
    assert judge(SENT, before, {**SENT, "number": "F-0"}) is Arrival.NOT_ARRIVED
    assert judge(SENT, before, SENT) is Arrival.ARRIVED
    assert judge(SENT, before, {**SENT, "number": "A-1"}) is Arrival.ARRIVED, "somebody has moved one since"


def test_where_the_head_cannot_tell_the_wording_has_to():
    """Nothing in the head was to move; only an approval, which can be somebody else's; or all was moved again."""
    assert judge(SENT, SENT, SENT) is Arrival.UNCLEAR
    draft = {**SENT, "status": "DRAFT"}
    assert judge(SENT, draft, {**SENT, "status": "PAID"}) is Arrival.UNCLEAR
    assert judge(SENT, draft, draft) is Arrival.NOT_ARRIVED
    assert judge(SENT, {**SENT, "total": "1"}, {**SENT, "total": "2"}) is Arrival.UNCLEAR


@given(st.sets(st.sampled_from(FIELDS), min_size=1), st.sets(st.sampled_from(FIELDS)))
def test_what_nobody_else_touched_is_never_in_doubt(moved, later):
    """Before the change it has not arrived, after it it has, whatever somebody moved besides."""
    before = {**SENT, **{name: f"old {name}" for name in moved}}
    others = {name: f"theirs {name}" for name in later - moved}
    assert judge(SENT, before, {**before, **others}) is Arrival.NOT_ARRIVED
    told = Arrival.UNCLEAR if moved == {"status"} else Arrival.ARRIVED
    assert judge(SENT, before, {**SENT, **others}) is told


def test_wording_is_reference_and_lines_without_the_blanks_that_xero_trims():
    """Amounts by value, to the four decimals that Xero keeps."""
    shown_lines = [(" Work ", Decimal("1.5000"), Decimal("19.9900"), "TAX001")]
    assert wording_sent(DOCUMENT) == wording("Work ", shown_lines)
    assert wording_sent(DOCUMENT) != wording("Work", [("Werk", *shown_lines[0][1:])])
    assert wording_sent(DOCUMENT) != wording("Other", shown_lines)
    assert wording_sent(Amendment("x", "F-2", "x1", None, "Work")) == wording("Work")
    assert wording_sent(Amendment("x", "F-2", "x1", None, None)) == wording("")
