"""What is done with finished runs: reading, comparing, checking, and one page of them."""
