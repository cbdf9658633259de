"""The live page for whoever has no monitoring stack: `/status` and what it loads."""
