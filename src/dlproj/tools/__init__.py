"""What is done with trained networks, and with the installation."""
