"""The two services over HTTP."""
