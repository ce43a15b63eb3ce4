"""Tones that are no modulation: answer and calling tones, call progress."""
