"""The command line: one parser module per verb. Only this package exits."""
