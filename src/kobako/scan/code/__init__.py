"""What the Python files say: imports, assertions, how a training starts, what has to be built."""
