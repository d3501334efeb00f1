"""`python -m dlproj` is `dlproj`."""

from dlproj.cli import main

main()
