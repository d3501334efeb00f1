"""The user's own tables: however they are written, rows of two columns."""
