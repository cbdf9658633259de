"""How each real server is obtained, started and asked by tests: with the configuration files that ship."""
