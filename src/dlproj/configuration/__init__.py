"""From what a user gave to checked settings: defaults, recipes, files, flags, and their words."""
