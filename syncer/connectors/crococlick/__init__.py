"""CrocoClick, which speaks the HighLevel API v2."""
