"""The Xero side of the sandbox: consent, tokens, connections and the Accounting API 2.0."""
