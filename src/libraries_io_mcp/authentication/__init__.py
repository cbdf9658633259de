"""Who may call over HTTP: named bearer tokens, JSON Web Tokens, or both.

`tokens.py` and `web_tokens.py` each know one kind; `provider.py` puts together what FastMCP asks; `scopes.py` says what
each tool and resource needs.
"""
