"""Modulations, one interface for all."""
