"""One installation at work: settings, connections, jobs, consent, the background sync."""
