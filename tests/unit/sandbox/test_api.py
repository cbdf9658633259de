"""What all routes share: paths that are none, broken escapes, headers."""

import httpx


async def test_the_documentation_page(anonymous: httpx.AsyncClient):
    reply = await anonymous.get("http://sandbox.test/api")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "x-ratelimit-limit" not in reply.headers


async def test_paths_and_methods_that_are_no_route(client: httpx.AsyncClient):
    for method, path in (("GET", "/npm"), ("POST", "/npm/axios"), ("GET", "/check"), ("GET", "/npm/axios/usage")):
        reply = await client.request(method, path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_broken_escape(client: httpx.AsyncClient):
    reply = await client.get(httpx.URL("http://sandbox.test", raw_path=b"/api/npm/100%zz"), params={})
    assert (reply.status_code, reply.content) == (404, b"")


async def test_headers_of_a_reply(client: httpx.AsyncClient):
    headers = (await client.get("/npm/axios")).headers
    assert headers["etag"].startswith('W/"')
    assert headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert headers["vary"] == "Origin"
    assert headers["x-ratelimit-reset"] == "60"
    assert headers["x-request-id"]
