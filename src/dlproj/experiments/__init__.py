"""What each command does, one module each, read from top to bottom like the report's task."""
