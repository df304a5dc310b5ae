"""Tax rates that Xero lacks: when one is made up for it, and how it is called."""

from dataclasses import replace
from decimal import Decimal

import pytest

from syncer.domain.mapping.invoice_to_document import document
from syncer.domain.mapping.tax_rates import NAME_LIMIT, tax_rate, to_create
from syncer.domain.model.books import Document, TaxComponent, TaxRate
from syncer.domain.model.invoice import LineItem, Tax
from tests.support.domain_samples import BOOKS, GST, NO_TAX, QST, TVA, VAT, books, invoice, rules

TPS = Tax("t1", "TVA réduite", Decimal("5.5"))


def made(*taxes, there=(NO_TAX,), refused=(), allowed=True):
    """The rate for these taxes, or the problem, where the settings allow to create what is missing."""
    known = books(tax_rates=there, refused=dict.fromkeys(refused, ("No.",)))
    return tax_rate(taxes, known, rules(create_tax_rates=allowed))


def test_a_rate_that_xero_lacks_is_created_where_the_setting_allows():
    """By default it is not: the invoice is held."""
    assert made(VAT, allowed=False).code == "tax_unmapped"
    rate = made(VAT)
    assert (rate.is_new, rate.type, rate.name) == (True, "new:20%", "TVA 20")
    assert rate.components == (TaxComponent("TVA 20", Decimal(20)),)


def test_one_that_fits_is_taken_instead():
    """A person's mapping, or a rate of equal components; of several a person chooses."""
    assert made(VAT, there=(NO_TAX, TVA)) == TVA
    twins = (replace(TVA, type="TAX008", name="a"), replace(TVA, type="TAX009", name="b"))
    assert made(VAT, there=twins).code == "tax_ambiguous"
    mapped = tax_rate((VAT,), BOOKS, rules(create_tax_rates=True, taxes={"t20": "TAX404"}))
    assert mapped.code == "tax_unmapped"


def test_several_taxes_become_one_rate_of_several_components():
    """In the order of the invoice, each with its compounding: never one rate of their sum."""
    rate = made(GST, replace(QST, compound=True))
    assert (rate.type, rate.name) == ("new:5%+9.975% compound", "GST + QST")
    assert rate.components == (
        TaxComponent("GST", Decimal(5)),
        TaxComponent("QST", Decimal("9.975"), compound=True),
    )


NOT_MADE = {
    "zero percent: exempt, zero-rated or outside is the accountant's to say": [replace(VAT, rate=Decimal(0))],
    "zero percent beside another": [VAT, replace(GST, rate=Decimal(0))],
    "less than nothing": [replace(VAT, rate=Decimal(-5))],
    "more than four decimals": [replace(VAT, rate=Decimal("6.66667"))],
}


@pytest.mark.parametrize("taxes", NOT_MADE.values(), ids=list(NOT_MADE))
def test_what_xero_would_not_take_or_a_person_has_to_say_is_not_created(taxes):
    """It is held as before."""
    assert made(*taxes, there=()).code == "tax_unmapped"


def test_four_decimals_are_taken():
    """Zeros at the end do not count."""
    assert made(replace(VAT, rate=Decimal("6.6667000"))).components[0].rate == Decimal("6.6667")


def test_what_xero_refused_to_create_is_not_asked_again():
    """Its words are shown; other rates are created all the same."""
    held = made(VAT, refused=["tax.20%"])
    assert (held.code, held.facts["would_not"]) == ("tax_unmapped", ["No."])
    assert made(TPS, refused=["tax.20%"]).is_new
    assert made(GST, QST, refused=["tax.5%+9.975%"]).facts["rate"] == "5%+9.975%"


# -- names


def test_a_name_that_is_taken_gets_its_rate():
    """Names are unique in Xero whatever their case, and whatever the status of who has it."""
    other = TaxRate("TAX007", "tva RÉDUITE", Decimal(10), status="DELETED")
    assert made(TPS, there=(other,)).name == "TVA réduite (5.5%)"
    both = (other, replace(other, type="TAX008", name="TVA réduite (5.5%)"))
    assert made(TPS, there=both).code == "tax_unmapped"


def test_a_tax_without_a_name_is_called_by_its_rate():
    """So is its component."""
    for name in ("", "  "):
        rate = made(replace(VAT, name=name))
        assert (rate.name, rate.components[0].name) == ("20%", "20%")
    assert made(replace(VAT, name=""), GST).name == "GST"


def test_long_names_are_cut():
    """The rate's, the one with its rate in it, and the components'; blanks are tidied."""
    long = replace(VAT, name=f" {'Taxe  ' * 20}")
    rate = made(long)
    assert (len(rate.name), rate.name[:10]) == (NAME_LIMIT - 1, "Taxe Taxe ")
    assert rate.components[0].name == rate.name
    taken = made(long, there=(replace(TVA, name=rate.name, components=(), effective_rate=Decimal(1)),))
    assert len(taken.name) <= NAME_LIMIT
    assert taken.name.endswith("(20%)")


def test_components_of_one_rate_have_names_of_their_own():
    """Two taxes of one name are numbered, within the limit."""
    state, town = Tax("a", "Sales tax", Decimal(4)), Tax("b", "sales TAX", Decimal(2))
    assert [part.name for part in made(state, town).components] == ["Sales tax 1", "sales TAX 2"]
    long = [replace(one, name="x" * 60) for one in (state, town)]
    names = [part.name for part in made(*long).components]
    assert len(set(names)) == 2
    assert {len(name) for name in names} == {NAME_LIMIT}


# -- what Xero is asked


@pytest.mark.parametrize(
    ("edition", "report_type"),
    [
        ("AU", "OUTPUT"),
        ("NZ", "OUTPUT"),
        ("UK", "OUTPUT"),
        ("AUONRAMP", "OUTPUT"),
        ("GLOBAL", ""),
        ("GLOBALONRAMP", ""),
        ("US", ""),
        ("", ""),
    ],
)
def test_only_some_editions_want_to_know_the_box_of_the_return(edition, report_type):
    """Australia, New Zealand and the United Kingdom insist; the United States and the rest refuse it."""
    there = books(organisation=replace(BOOKS.organisation, version=edition))
    asked = to_create(made(GST, QST), there)
    assert (asked.name, asked.report_type) == ("GST + QST", report_type)
    assert [(part.name, part.rate) for part in asked.components] == [("GST", Decimal(5)), ("QST", Decimal("9.975"))]


def test_a_document_waits_for_its_new_rate_under_a_placeholder():
    """It is reckoned with the components, compounding included, so that the plan's totals are Xero's."""
    line = LineItem("Conseil", Decimal(1), Decimal(100), (GST, replace(QST, compound=True)))
    one = invoice(lines=(line,), total=Decimal("115.47"))
    found = document(one, books(tax_rates=(NO_TAX,)), "x1", rules(create_tax_rates=True))
    assert isinstance(found, Document)
    assert ([line.tax_type for line in found.lines], found.total_tax) == (["new:5%+9.975% compound"], Decimal("15.47"))
