"""CrocoClick invoices into Xero, to the cent, with a reason for every one that did not go."""
