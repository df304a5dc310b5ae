"""Every row of our catalogue of Xero's messages is recognised, however it is quoted, spelled and accompanied."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.connectors.xero import error_messages
from syncer.domain.model.problems import CAUSES

# Our notes on Xero may lie beside the project; where they do not, test_complaints.py has the same messages by heart.
NOTES = Path(__file__).parents[3] / "shared" / "reference" / "xero.md"
pytestmark = pytest.mark.skipif(not NOTES.is_file(), reason="our notes on Xero are not beside the project")

_ROW = re.compile(r"^\| (\d+) \| (.+?) \|", re.MULTILINE)
_VARIABLE = re.compile(r"['\"]?‹(.+?)›['\"]?")
# Rows that say nothing of the invoice: what Xero could not do is shown as it came, with the reason we know.
UNEXPLAINED = {19: "status", 51: "name_taken", 59: "currency_rate"}


def catalogue():
    """The messages by the number of their row: alternatives apart, variable parts still marked."""
    if not NOTES.is_file():
        return {0: [""]}
    section = NOTES.read_text().partition("### 4.6")[2].partition("\n## ")[0]
    found = {}
    for row, message in _ROW.findall(section):
        told = re.sub(r"\*\(.+?\)\*", "", message).strip()
        found[int(row)] = [one for part in told.split(" / ") for one in spread(part.strip())]
    return found


def spread(message):
    """A variable part that lists what it may be is several messages."""
    listed = re.search(r"‹([A-Z]+(?:/[A-Z]+)+)›", message)
    return [message.replace(listed[1], one) for one in listed[1].split("/")] if listed else [message]


ROWS = catalogue()
MESSAGES = [(row, message) for row, those in ROWS.items() for message in those]
QUOTES = ["''", '""', "‘’", "“”", "’’", ("", "")]
CASES = [str, str.upper, str.lower, str.title, str.swapcase]


def said(message, quotes=("'", "'"), case=str, end=""):
    """The message as Xero might say it this year."""
    filled = _VARIABLE.sub(lambda part: f"{quotes[0]}{part[1]}{quotes[1]}", message)
    return case(filled).rstrip(".") + end


def test_the_notes_have_all_their_rows():
    """74 of them; a few say two things."""
    assert list(ROWS) == list(range(1, 75))
    assert len(MESSAGES) == 78


@pytest.mark.parametrize(("row", "message"), MESSAGES, ids=[str(row) for row, _ in MESSAGES])
def test_the_row_is_recognised(row, message):
    """Word for word it leads to a cause of ours; where that is Xero's own refusal, we know why."""
    (problem,) = error_messages.read([said(message)])
    assert problem.code in CAUSES
    if row in UNEXPLAINED:
        assert (problem.code, problem.facts["reason"]) == ("rejected_by_xero", UNEXPLAINED[row])
    else:
        assert problem.code != "rejected_by_xero"


@given(
    st.sampled_from(MESSAGES), st.sampled_from(QUOTES), st.sampled_from(CASES), st.sampled_from(["", ".", " .", "\n"])
)
def test_quotes_case_and_full_stops_do_not_count(row, quotes, case, end):
    """It is the same row, whatever Xero has polished."""
    _, message = row
    assert error_messages._read(said(message, quotes, case, end))[0] == error_messages._read(said(message))[0]


@given(st.sampled_from(MESSAGES), st.sampled_from(QUOTES))
def test_what_a_message_tells_is_kept_without_its_quotes(row, quotes):
    """Names, codes, dates and amounts are facts, and the message stays as it came."""
    _, message = row
    (problem,) = error_messages.read([said(message, quotes)])
    told = [value for name, value in problem.facts.items() if name != "message"]
    assert problem.facts["message"] == said(message, quotes)
    assert not any(mark in value for value in told for mark in "'\"‘’“”")
    (plain,) = error_messages.read([said(message)])
    assert {**problem.facts, "message": ""} == {**plain.facts, "message": ""}


@given(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=5), st.randoms(), st.booleans())
def test_of_several_messages_the_most_telling_is_the_cause(rows, chance, unknown):
    """In whatever order they come: the catalogue's rank decides, and what nobody knows comes last."""
    messages = [said(message) for _, message in rows] + ["The moon is in the wrong house."] * unknown
    shuffled = list(messages)
    chance.shuffle(shuffled)
    found = error_messages.read(shuffled)
    assert len(found) == len(messages)
    assert [error_messages._read(one.facts["message"])[0] for one in found] == sorted(
        error_messages._read(message)[0] for message in messages
    )
    assert found[0].code == error_messages.read(messages)[0].code


PAIRS = [(20, 18, "edited_after_payment"), (65, 66, "payment_exceeds_due")]


@pytest.mark.parametrize(("telling", "general", "cause"), PAIRS)
def test_two_messages_for_one_failure(telling, general, cause):
    """Xero often says the general one first."""
    messages = [said(ROWS[general][0]), said(ROWS[telling][0])]
    assert error_messages.read(messages)[0].code == error_messages.read(messages[::-1])[0].code == cause
