"""A Dockerfile parsed, understood and edited without loss. Pure: text in, text out."""
