"""How we observe. Knows nothing of what we do."""
