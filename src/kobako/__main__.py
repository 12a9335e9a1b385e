"""Lets ``python -m kobako`` work."""

from kobako.cli.main import entry

if __name__ == "__main__":
    entry()
