"""What a person may ask before going live: a part of the desk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from console.desk.installation import Once
from syncer.app import consent, states
from syncer.app.installation import Connection
from syncer.domain import settings
from syncer.domain.model.books import Books
from syncer.domain.readiness.checks import Check
from syncer.messages import readiness as readiness_messages
from syncer.messages.contacts import counted
from syncer.messages.remedies import OrderChoice, Remedy
from syncer.messages.status import effect_sentences
from syncer.onboarding import certificate, test_invoice
from syncer.onboarding import readiness as readiness_onboarding
from syncer.onboarding.readiness import ReadinessReport
from syncer.storage.ledger.writer import AuditEntry
from syncer.support import explain
from syncer.support.preview import Preview, effects, preview

QUICK = 5000  # invoices that are planned anew while a person waits, without being asked


@dataclass(frozen=True)
class SetupStep:
    """One step of the set-up: whether it is done, and what is missing."""

    key: str
    title: str
    done: bool
    missing: str
    page: str


@dataclass(frozen=True)
class ReadinessDesk:
    """Readiness of one connection; `once` keeps answers to questions of many rows while the ledger stands still."""

    connection: Connection
    by: str
    now: datetime
    once: Once
    allow: Callable[[str], None]  # raises NotAllowed

    def report(self) -> ReadinessReport | None:
        """The report as things stand now where that is quick, else the one that was made last; None: never made."""
        kept = readiness_onboarding.kept(self.connection.ledger)
        if kept is None or kept.planned is None or self._is_large():
            return kept
        return self.fresh()

    def fresh(self) -> ReadinessReport:
        """The report as the ledger stands now; no call is made."""
        return self.once(("readiness",), lambda: readiness_onboarding.from_ledger(self.connection))

    def _is_large(self) -> bool:
        rows = self.connection.ledger.rows("counts")
        return bool(sum(row["invoices"] for row in rows if row["state"] != "synced") > QUICK)

    def kept_at(self) -> datetime | None:
        """When both sides were last read for a report."""
        kept = readiness_onboarding.kept(self.connection.ledger)
        return kept.checked_at if kept else None

    def sentence(self, check: Check) -> str:
        """What was found."""
        return readiness_messages.sentence(check)

    def hangs(self, check: Check) -> str:
        """What hangs on a check."""
        return readiness_messages.hangs(check)

    def next_step(self, check: Check) -> Remedy | None:
        """Who does what, with the choices that the books leave."""
        return readiness_messages.next_step(check, self.books())

    def setting_of(self, check: Check) -> str:
        """The setting that decides a check, where one does."""
        return readiness_messages.setting_of(check)

    def rate_names(self) -> dict[str, str]:
        """What Xero's tax rates are called, by TaxType."""
        books = self.books()
        return {rate.type: rate.name for rate in books.tax_rates} if books else {}

    def books(self) -> Books | None:
        """The organisation's settings as last read."""
        return explain.books(self.connection.ledger)

    def choices(self, key: str) -> list[OrderChoice]:
        """What a setting may be, from the books: each a value with its name."""
        return readiness_messages.choices(key, self.books())

    def effect(self, changes: Mapping[str, str]) -> list[str]:
        """What these settings would do, in sentences, before anything is saved; raises WrongUsage."""
        checked = settings.checked(changes)
        return self.once(("effect", *sorted(changes.items())), lambda: self._effect(checked))

    def _effect(self, changes: Mapping[str, str | None]) -> list[str]:
        connection, books = self.connection, self.books()
        if books is None:
            return []
        after = preview(connection.ledger, connection.rules(changes), books)
        return effect_sentences(effects(self._preview(), after))

    def _preview(self) -> Preview:
        connection, books = self.connection, self.books()
        assert books is not None  # noqa: S101 — the visitor has looked
        return self.once(
            ("preview",), lambda: preview(connection.ledger, connection.rules(), books)
        )  # fmt: skip

    def save(self, changes: Mapping[str, str]) -> None:
        """Change settings; raises WrongUsage, and then none is changed."""
        self.allow("change_setting")
        self.connection.ledger.change_settings(settings.checked(changes), self.by, self.now)
        states.decide(self.connection)

    def value(self, key: str) -> str:
        """What a setting is now."""
        return self.connection.settings().get(key) or ""

    def trial(self) -> test_invoice.Kept | None:
        """The newest guided test."""
        return test_invoice.newest(self.connection.ledger)

    def certificate(self, report: ReadinessReport) -> bytes:
        """The report as one file to hand over."""
        self.allow("export")
        self.connection.ledger.note(AuditEntry(self.by, "exported"), self.now, "certificate")
        return certificate.html(self.connection, report, self.by).encode()

    def steps(self) -> Sequence[SetupStep]:
        """The path from nothing to live, each step with what is missing."""
        status = consent.status(self.connection)
        connected = status["state"] == "connected" and status["crococlick"]["state"] == "connected"
        report, test = readiness_onboarding.kept(self.connection.ledger), self.trial()
        return (
            SetupStep(
                "connect", "Connect", connected, "" if connected else "Connect Xero and CrocoClick.", "connections"
            ),
            self._contacts_step(),
            SetupStep("readiness", "Readiness", bool(report and report.ready), _not_ready(report), "readiness"),
            SetupStep("test", "Test invoice", bool(test and test.ok), _not_tested(test), "readiness"),
            self._live_step(),
        )

    def open_steps(self) -> Sequence[SetupStep]:
        """What is still to do before the first sync; nothing once invoices have gone over."""
        if self.is_live():
            return ()
        return [step for step in self.steps() if not step.done and step.key != "live"]

    def to_go(self) -> tuple[int, Mapping[str, Decimal]]:
        """How many invoices wait or are held, and their money by currency, as far as CrocoClick was read."""
        rows = [row for row in self.connection.ledger.rows("counts") if row["state"] in ("waiting", "held")]
        money: dict[str, Decimal] = {}
        for row in rows:
            money[row["currency"]] = money.get(row["currency"], Decimal(0)) + row["money"]
        return sum(row["invoices"] for row in rows), money

    def _contacts_step(self) -> SetupStep:
        ledger = self.connection.ledger
        conflicts = sum(row["contacts"] for row in ledger.rows("import_counts") if row["outcome"] == "conflict")
        ran = ledger.row("last_import")
        missing = "Import them." if ran is None else f"{counted('conflict', conflicts)}." if conflicts else ""
        return SetupStep("contacts", "Contacts", ran is not None and not conflicts, missing, "contacts")

    def _live_step(self) -> SetupStep:
        if not self.is_live():
            return SetupStep("live", "Go live", False, "Sync the first invoices.", "today")
        report = readiness_onboarding.kept(self.connection.ledger)
        failed = sum(1 for check in report.checks if check.level == "fail") if report else 0
        return SetupStep("live", "Live", True, f"Live with {failed:,} open." if failed else "", "today")

    def is_live(self) -> bool:
        """Whether an invoice has gone over that no test made."""
        test = self.trial()
        row = self.connection.ledger.row("gone_over", but=test.source_id if test else "")
        return bool(row and row["invoices"])


def _not_ready(report: ReadinessReport | None) -> str:
    if report is None:
        return "Check it."
    failed = sum(1 for check in report.checks if check.level == "fail")
    return f"{failed:,} to mend." if failed else ""


def _not_tested(test: test_invoice.Kept | None) -> str:
    if test is None:
        return "Send one."
    return "" if test.ok else "It differs." if test.ok is False else "It was cut off."
