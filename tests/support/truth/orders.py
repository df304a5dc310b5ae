"""What a person orders in the product, and imports."""

from hypothesis import strategies as st

from tests.support.truth.apart import apart
from tests.support.truth.books import read
from tests.support.truth.hands import PICK, Hands

ORDERS = st.one_of(
    st.tuples(st.just("skip"), PICK),
    st.tuples(st.just("unskip"), PICK),
    st.tuples(st.just("advice"), PICK),
    st.tuples(st.just("import")),
    st.tuples(st.just("x_customer")),
)


class Orders(Hands):
    """The hands of a person at the console."""

    def __init__(self, world):
        super().__init__(world)
        self.adopted = set()  # CrocoClick ids, each with a difference that a person calls right

    def _skip(self, pick):
        self._order("skip", pick, "--because", "a walk")

    def _unskip(self, pick):
        self._order("unskip", pick)

    def _order(self, name, pick, *more):
        if one := self.picked(pick):
            self.world.command(name, one.id, *more)
            self.ordered.add(one.id)

    def _advice(self, pick):
        """A person does, word for word, what explain advises for an invoice that is held."""
        held = self.world.ledger.rows("held_in", everything=True, ids=[])
        if not held:
            return
        id_ = sorted(row["source_id"] for row in held)[pick % len(held)]
        told = self.world.command("explain", id_)[1]
        words = (told.get("remedy") or {}).get("order")
        if words and words[0] in ("order", "skip", "retry"):
            if words[:2] == ["order", "adopt"]:
                self._adopt(id_)
            self.world.command(*words)
            self.ordered.add(id_)

    def _adopt(self, id_):
        """What differs at this moment a person calls right; what moves afterwards is another matter."""
        books = read(self.world.box)
        if invoice := books.invoices.get(id_):
            self.adopted |= {(id_, difference) for difference in apart(books, invoice)}

    def _import(self):
        self.world.command("import-contacts")

    def _x_customer(self):
        self.made += 1
        self.xero.add_contact(Name=f"Client {self.made}", EmailAddress=f"client{self.made}@example.org")
