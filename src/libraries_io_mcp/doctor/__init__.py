"""`libraries-io-mcp doctor`: tries everything that the settings name, and says what to do about what does not work."""
