"""Where each line lands: the account of its product, else of its tax, else the one for all lines."""

from syncer.onboarding import readiness


def coffee(amount=100, rate=20):
    """A line that sells product p1."""
    return {"name": "Coffee", "qty": 1, "amount": amount, "taxes": [rate], "productId": "p1"}


def work(rate=20):
    """A line without a product."""
    return {"name": "Work", "qty": 1, "amount": 100, "taxes": [rate]}


def accounts(world, number):
    """The account of each line in Xero."""
    return [line["AccountCode"] for line in world.xero.invoice(number)["LineItems"]]


def test_product_before_tax_before_the_rest(world):
    """One invoice, four lines, four rules; what is not set more closely goes where everything goes."""
    for code in ("7071", "7072", "7073"):
        world.xero.add_account(Code=code, Name=f"Sales {code}", Type="REVENUE")
    untaxed = {"name": "Stamp", "qty": 1, "amount": 5, "taxes": []}
    world.set(
        **{
            "revenue_account__product__p1": "7071",
            "revenue_account__tax__5.5%": "7072",
            "revenue_account__tax__none": "7073",
        }
    )
    world.has("INV-1", lines=[coffee(), coffee(rate=5.5), work(5.5), work(), untaxed])
    assert world.sync()["created"] == 1
    assert accounts(world, "INV-1") == ["7071", "7071", "7072", "706", "7073"]
    assert world.state("INV-1") == "synced"


def test_a_changed_setting_is_for_what_goes_from_then_on(world):
    """What is in Xero stays as it is until its content changes in CrocoClick, as with `revenue_account`."""
    world.xero.add_account(Code="7071", Name="Coffee", Type="REVENUE")
    world.has("INV-1", lines=[coffee()])
    world.sync()
    world.set(revenue_account__product__p1="7071")
    world.box.reset_calls()
    assert world.state("INV-1") == "synced"
    assert (world.sync(full=True)["unchanged"], world.writes()) == (1, 0)
    world.crm.edit_invoice("INV-1", lines=[coffee(150)])
    assert world.sync()["updated"] == 1
    assert accounts(world, "INV-1") == ["7071"]


def test_only_invoices_with_such_a_line_wait_for_its_account(world):
    """The others go; the held one says which setting it waits for, and nothing of it was written."""
    world.set(revenue_account__product__p1="999")
    world.has("INV-1", lines=[work(), coffee()])
    world.has("INV-2")
    assert world.sync()["created"] == 1
    told = world.explain("INV-1")
    assert told["cause"]["facts"]["setting"] == "revenue_account.product.p1"
    assert told["cause"]["sentence"].endswith("the account 999, chosen for lines of Coffee, does not exist in Xero")
    assert "`revenue_account.product.p1`" in told["remedy"]["sentence"]
    assert world.xero.numbers() == ["INV-2"]
    foreseen = {
        one.subject: one for one in readiness.from_ledger(world.connection).checks if one.code == "revenue_account"
    }
    wrong = foreseen["revenue_account.product.p1"]
    assert (str(wrong.level), wrong.invoices, wrong.facts["numbers"]) == ("fail", 1, ["INV-1"])
    assert str(foreseen[""].level) == "pass"
    assert readiness.readiness.sentence(wrong) == "The account 999, chosen for lines of Coffee, cannot be used."


def test_without_an_account_for_all_lines_those_with_one_of_their_own_go(world):
    """Only lines that need it wait for it."""
    world.set(revenue_account="", revenue_account__product__p1="706")
    world.has("INV-1", lines=[coffee()])
    world.has("INV-2")
    assert world.sync()["created"] == 1
    assert (world.state("INV-1"), world.cause("INV-2")) == ("synced", "account_missing")


def test_what_xero_refuses_names_the_setting_of_the_line(world):
    """A rate that does not go with the account of one product: that one is to be chosen anew."""
    world.xero.update("taxrates", "TAX001", CanApplyToLiabilities=False)
    world.xero.add_account(Code="4191", Name="Avances", Type="CURRLIAB")
    world.set(revenue_account__product__p1="4191")
    world.has("INV-1", lines=[work(), coffee()])
    world.sync()
    told = world.explain("INV-1")
    assert (told["cause"]["code"], told["cause"]["facts"]["setting"]) == (
        "tax_not_for_account",
        "revenue_account.product.p1",
    )
    assert "`revenue_account.product.p1`" in told["remedy"]["sentence"]
    world.order("map", "INV-1", revenue_account__product__p1="706")
    assert world.sync()["created"] == 1
