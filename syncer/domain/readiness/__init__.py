"""What can be known before the first sync. Pure."""
