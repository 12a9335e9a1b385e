"""One module per verb: it orchestrates and returns a ``Result``. Nothing here prints or exits."""
