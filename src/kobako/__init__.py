"""Kobako: a machine-learning repository's environment, written down, minimal and proved from zero."""

__version__ = "0.1.0.dev0"
