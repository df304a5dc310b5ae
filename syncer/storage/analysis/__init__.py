"""The analysis tables: a copy of the ledger for SQL, figures and reports."""
