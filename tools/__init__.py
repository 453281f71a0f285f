"""Set-up, start and test of the project; see ``python3 -m tools help``."""
