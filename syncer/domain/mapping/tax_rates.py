"""Which Xero rate the taxes of a line are: a person's mapping, else one that fits exactly, else one to create."""

from collections.abc import Iterable

from syncer.domain.model.books import NEW, Books, NewTaxRate, TaxComponent, TaxRate
from syncer.domain.model.invoice import Tax
from syncer.domain.model.money import ZERO, fits, text
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import Rules

# Xero's own names of purchase-side rates. In GLOBAL editions the flags do not tell them from sales rates, so the
# type itself is looked at (Xero's TaxRates page).
_PURCHASE_TYPES = ("INPUT", "GSTONIMPORTS", "GSTONCAPIMPORTS", "CAPEX", "REVERSECHARGES", "ECACQUISITIONS")
# Editions that want to know which box of the tax return a new rate belongs in (Xero's TaxRates page).
REPORT_TYPES = {"AU": "OUTPUT", "NZ": "OUTPUT", "UK": "OUTPUT"}
RATE_PLACES = 4  # Xero's TaxRates page: component rates
NAME_LIMIT = 50  # not published for rates; Xero's other short names end here


def is_purchase_side(rate: TaxRate) -> bool:
    """Whether this rate belongs on bills; INPUTTAXED is Australia's sales type in spite of its name."""
    kind = rate.type.upper()
    if kind == "INPUTTAXED":
        return False
    return kind.startswith(_PURCHASE_TYPES) or kind.endswith("INPUT") or "ACQUISITION" in kind


def usable(rate: TaxRate) -> bool:
    """Whether a sales invoice may carry it."""
    return rate.status == "ACTIVE" and rate.applies_to_revenue and not is_purchase_side(rate)


def tax_key(taxes: Iterable[Tax]) -> str:
    """How a mapping names the taxes of one line: `20%`, `5%+9.975%`."""
    return "+".join(f"{text(rate)}%" for rate in sorted(tax.rate for tax in taxes))


def setting_names(taxes: tuple[Tax, ...]) -> list[str]:
    """The names by which a setting may mean the taxes of one line, the most specific first."""
    if not taxes:
        return ["none"]
    return [*([taxes[0].id] if len(taxes) == 1 else []), tax_key(taxes)]


def tax_rate(taxes: tuple[Tax, ...], books: Books, rules: Rules) -> TaxRate | Problem:
    """The Xero rate for the taxes of one line; one that is still to be created is `is_new`."""
    if not taxes:
        return untaxed(books, rules)
    facts = {"tax": ", ".join(tax.name for tax in taxes), "rate": tax_key(taxes)}
    if mapped := mapping_of(taxes, rules):
        return _mapped(mapped, books, facts)
    equal = [rate for rate in books.tax_rates if _components_equal(taxes, rate)]
    fitting = [rate for rate in equal if usable(rate)]
    if len(fitting) > 1:
        names = {tax.name.casefold() for tax in taxes}
        fitting = [rate for rate in fitting if rate.name.casefold() in names] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        return Problem("tax_ambiguous", {**facts, "candidates": _candidates(fitting)})
    archived = [rate for rate in equal if rate.status != "ACTIVE" and not is_purchase_side(rate)]
    if archived:
        return Problem("tax_archived", {**facts, "candidates": _candidates(archived)})
    return _created(taxes, books, rules) or _unmapped(taxes, equal, books, facts)


def mapping_of(taxes: tuple[Tax, ...], rules: Rules) -> str:
    """The TaxType that a person chose for the taxes of one line, by their id or by their rates; empty for none."""
    if not taxes:
        return rules.tax_none
    return next((rules.taxes[name] for name in setting_names(taxes) if rules.taxes.get(name)), "")


def untaxed(books: Books, rules: Rules) -> TaxRate | Problem:
    """The rate of a line without tax."""
    facts = {"tax": "", "rate": "none"}
    if rules.tax_none:
        return _mapped(rules.tax_none, books, facts)
    rate = books.tax_rate_by_type.get("NONE")
    return rate if rate and usable(rate) else Problem("tax_unmapped", facts)


def _unmapped(taxes: tuple[Tax, ...], equal: list[TaxRate], books: Books, facts: dict[str, str]) -> Problem:
    if equal:
        return Problem("tax_wrong_side", {**facts, "candidates": _candidates(equal)})
    said = books.refused.get(f"tax.{new_key(taxes)}")
    return Problem("tax_unmapped", {**facts, "would_not": list(said)} if said else facts)


def _candidates(rates: Iterable[TaxRate]) -> list[dict[str, str]]:
    return [{"type": rate.type, "name": rate.name} for rate in rates]


def _components_equal(taxes: tuple[Tax, ...], rate: TaxRate) -> bool:
    """Equal parts and compounding, never an equal sum."""
    wanted = sorted((tax.rate, tax.compound) for tax in taxes)
    held = sorted((part.rate, part.compound) for part in rate.components)
    return wanted == (held or [(rate.effective_rate, False)])


def _mapped(tax_type: str, books: Books, facts: dict[str, str]) -> TaxRate | Problem:
    rate = books.tax_rate_by_type.get(tax_type)
    facts = {**facts, "mapped_to": tax_type}
    if rate is None:
        return Problem("tax_unmapped", facts)
    facts["mapped_name"] = rate.name
    if rate.status != "ACTIVE":
        return Problem("tax_archived", {**facts, "candidates": _candidates([rate])})
    if is_purchase_side(rate) or not rate.applies_to_revenue:
        return Problem("tax_wrong_side", {**facts, "candidates": _candidates([rate])})
    return rate


# -- creating


def _created(taxes: tuple[Tax, ...], books: Books, rules: Rules) -> TaxRate | None:
    """The rate to create for these taxes, where the settings allow it and Xero would take it.

    None of zero percent: whether that is exempt, zero-rated or outside the tax is the accountant's to say.
    """
    key = new_key(taxes)
    makeable = all(tax.rate > 0 and fits(tax.rate, RATE_PLACES) for tax in taxes)
    if not rules.create_tax_rates or not makeable or f"tax.{key}" in books.refused:
        return None
    parts = tuple(TaxComponent(_short(tax.name) or f"{text(tax.rate)}%", tax.rate, tax.compound) for tax in taxes)
    name = _free_name(" + ".join(tax.name for tax in taxes if tax.name.strip()) or key, key, books)
    return TaxRate(f"{NEW}{key}", name, sum((tax.rate for tax in taxes), ZERO), _apart(parts)) if name else None


def new_key(taxes: Iterable[Tax]) -> str:
    """Names a rate to create: unlike a mapping's key it tells compound taxes from others."""
    taxes = tuple(taxes)
    return f"{tax_key(taxes)} compound" if any(tax.compound for tax in taxes) else tax_key(taxes)


def _short(name: str) -> str:
    return " ".join(name.split())[:NAME_LIMIT].rstrip()


def _free_name(name: str, key: str, books: Books) -> str:
    """The name as the invoice has it, with the rate where another rate is called so; empty where both are taken."""
    taken = {rate.name.casefold() for rate in books.tax_rates}
    tried = (_short(name), _short(f"{name[: NAME_LIMIT - len(key) - 3]} ({key})"))
    return next((one for one in tried if one.casefold() not in taken), "")


def _apart(parts: tuple[TaxComponent, ...]) -> tuple[TaxComponent, ...]:
    """Components of one rate need names of their own."""
    if len({part.name.casefold() for part in parts}) == len(parts):
        return parts
    room = NAME_LIMIT - len(f" {len(parts)}")
    return tuple(TaxComponent(f"{part.name[:room]} {n}", part.rate, part.compound) for n, part in enumerate(parts, 1))


def to_create(rate: TaxRate, books: Books) -> NewTaxRate:
    """What Xero is asked to create for a rate that is new."""
    return NewTaxRate(
        rate.name, rate.components, REPORT_TYPES.get(books.organisation.version.removesuffix("ONRAMP"), "")
    )
