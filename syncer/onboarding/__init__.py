"""Before the first sync: the readiness report, its certificate, the test invoice."""
