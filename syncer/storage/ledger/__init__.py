"""The ledger: what was read on both sides, what was tried, and what came of it."""
