"""A stand-in for Xero and CrocoClick: real HTTP, stateful, strict, and able to misbehave on request."""
