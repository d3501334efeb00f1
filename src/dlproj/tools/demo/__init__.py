"""The page of `dlproj demo`: what is on it, and the networks in a form that a browser computes."""
