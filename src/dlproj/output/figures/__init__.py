"""Figures of the results. This package alone imports matplotlib."""
