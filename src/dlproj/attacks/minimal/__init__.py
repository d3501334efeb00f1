"""Attacks that look for the smallest change of all instead of one within a given size."""
