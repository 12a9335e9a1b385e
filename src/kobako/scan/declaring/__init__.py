"""What is written down for an installer: one reader per kind of file."""
