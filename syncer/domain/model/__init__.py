"""What we talk about: money, invoices, payments, Xero's documents, problems, settings, states. Pure values."""
