"""What this machine keeps: the ledger, the analysis tables, secrets, received webhooks."""
