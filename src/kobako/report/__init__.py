"""Text made from results; nothing is printed here."""
