"""What people see and keep: the terminal, run directories, figures."""
