"""What is kept on disk: run directories, weights, event files."""
