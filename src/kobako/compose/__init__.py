"""Compose files: read with positions, edited without touching a byte that was not meant."""
