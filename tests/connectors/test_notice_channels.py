"""An address of Apprise is used whole and shown masked."""

import pytest

from syncer.connectors.notice_channels import channels


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("json://localhost:8080", "json://localhost:8080"),
        ("json://joe:hidden@localhost:8080/secretpath?+X-T=hidden", "json://j…:****@localhost:8080/s…"),
        ("mailtos://joe:hidden@example.com?to=x@example.org", "mailtos://j…:****@example.com/x…"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#secret", "slack://T...2/A...D/T...Q/%…"),
        ("ntfy://secret-topic", "ntfys://s…"),
        ("nonsense", "?://…"),
        ("foo://secret", "foo://…"),
    ],
)
def test_an_address_is_shown_by_its_service_and_little_more(address, shown, caplog, capsys):
    """Neither its name nor what it prints or logs holds a password, a token, a path or a parameter."""
    [channel] = channels([address])
    assert channel.name == shown
    said = f"{channel}{caplog.text}{capsys.readouterr()}"
    assert "secret" not in said and "hidden" not in said and "ajkdn" not in said
    assert channel.is_usable == (shown not in ("?://…", "foo://…"))


def test_addresses_that_look_the_same_are_told_apart():
    """By their order."""
    assert [one.name for one in channels(["ntfy://one", "ntfy://other", "ntfy://out"])] == [
        "ntfys://o…", "ntfys://o… #2", "ntfys://o… #3",
    ]  # fmt: skip


def test_nobody_answers():
    """It is not taken, and nothing is raised; nor where the address was not understood."""
    down, wrong = channels(["json://localhost:1", "nonsense"])
    assert not down.send("a title", "a text") and not wrong.send("a title", "a text")
