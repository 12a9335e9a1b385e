"""Training: the entry script that is written into a repository, what it tells, and what is kept of each run."""
