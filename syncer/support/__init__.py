"""What a person asks about invoices and contacts, and the orders they give."""
