"""The docker engine: Compose builds and starts, the Engine API runs commands."""
