"""The engine: one run from reading both services to the last write."""
