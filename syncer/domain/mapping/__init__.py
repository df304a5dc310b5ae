"""How a CrocoClick invoice becomes a Xero document: lines, discounts, taxes, totals. Pure."""
