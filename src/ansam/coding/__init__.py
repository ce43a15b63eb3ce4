"""Bit mathematics: scramblers and codes, without a notion of signals or time."""
