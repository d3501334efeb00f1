"""The command line: flags made from settings, what is wrong with a line, and the three streams."""
