"""The screens: what a person sees, asks and orders in a browser."""
