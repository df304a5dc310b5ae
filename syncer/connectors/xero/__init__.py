"""Xero: consent, requests and answers, limits, and what its complaints mean."""
