"""The engine that needs no container engine: environments made by uv, commands inside bubblewrap."""
