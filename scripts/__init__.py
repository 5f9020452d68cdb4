"""Keeps the repository: set up, check, measured rows, generated tables."""
