"""A year of real shop invoices as a world (Online Retail data set; its folder explains origin and licence)."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def build(box: "Sandbox", path: Path) -> None:
    """Not here yet."""
    raise ValueError(f"Cannot load {path}.")
