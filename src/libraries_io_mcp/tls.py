"""Whom the server trusts when it calls out over TLS: one answer for all of its own connections."""

import ssl
from functools import lru_cache

import httpx


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """The system's certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, which OpenSSL reads itself.

    Where the system has none at all, as in a bare container, those of Mozilla that come with HTTPX.
    """
    context = ssl.create_default_context()
    return context if context.cert_store_stats()["x509_ca"] else httpx.create_ssl_context(trust_env=False)
