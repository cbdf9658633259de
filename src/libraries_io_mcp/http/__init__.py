"""MCP over HTTP, and the routes beside it: who may come in, how much at once, how it ends. Begin at `serving.py`."""
