"""The terminal: `python -m syncer`."""
