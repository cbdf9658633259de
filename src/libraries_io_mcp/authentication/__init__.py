"""Who may call over HTTP, by named bearer tokens, JSON Web Tokens or both, and what each may do."""
