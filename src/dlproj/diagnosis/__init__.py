"""The laboratories: why BatchNorm helps and why attacks work, by measurement."""
