"""The repository and the configuration of ``kobako demo``, as they are written into a workspace."""
