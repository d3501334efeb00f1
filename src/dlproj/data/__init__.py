"""Where training examples come from."""
