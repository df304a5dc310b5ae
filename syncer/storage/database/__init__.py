"""DuckDB: connections, transactions, the schema and its migrations."""
