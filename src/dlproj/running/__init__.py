"""A run around an experiment: its directory, repetition over seeds, processes, checkpoints."""
