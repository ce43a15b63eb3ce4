"""A whole dial-up network in software."""
