"""A random walk through both services, and an oracle that judges every word said of an invoice."""
