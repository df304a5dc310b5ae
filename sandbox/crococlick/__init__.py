"""The CrocoClick side of the sandbox: the HighLevel v2 API for one location."""
