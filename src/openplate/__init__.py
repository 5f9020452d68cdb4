"""Openplate: automatic licence plate recognition on your own machine."""
