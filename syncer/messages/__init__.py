"""Codes and facts become sentences."""
