"""Named starting points. Everything is the same every time, apart from dates, which count back from today."""

from pathlib import Path
from typing import Any

from sandbox.fixture import Fixture
from sandbox.worlds import retail
from sandbox.worlds.demo import demo, month_end, quiet
from sandbox.worlds.pieces import empty
from sandbox.worlds.training import training

WORLDS = {
    "demo": "a French consultancy with 60 contacts, 120 invoices and a handful of every problem; a second location",
    "quiet": "one organisation, 3 contacts, 3 invoices that go over without trouble",
    "empty": "as quiet, without contacts and invoices",
    "month-end": "2,000 clean invoices in three currencies, most of them paid at the end of their month",
    "training": "one invoice for each magic number, and for each cause that is made in CrocoClick itself; see below",
}


def label(world: str, load: Any) -> str:
    """What a state was made from, as it is kept beside it."""
    return f"the file {Path(load).resolve().name}" if load else f"the world {world}"


def build(box: Fixture, world: str, load: Any) -> None:
    """Fill an empty sandbox."""
    if load:
        retail.build(box, Path(load))
        return
    if world not in WORLDS:
        raise ValueError(f"There is no world called {world}. The worlds are: {', '.join(WORLDS)}.")
    builders = {"demo": demo, "quiet": quiet, "empty": empty, "month-end": month_end, "training": training}
    builders[world](box)


# -- pieces -------------------------------------------------------------------------------------------------------


# -- worlds -------------------------------------------------------------------------------------------------------
