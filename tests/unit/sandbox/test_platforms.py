import httpx


async def test_platforms_most_packages_first(anonymous: httpx.AsyncClient):
    reply = await anonymous.get("/platforms")
    body = reply.json()
    counts = [platform["project_count"] for platform in body]
    assert counts == sorted(counts, reverse=True)
    assert {"name": "Go", "default_language": None}.items() <= next(p for p in body if p["name"] == "Go").items()


async def test_deprecated_packages_are_not_counted(client: httpx.AsyncClient):
    counts = {platform["name"]: platform["project_count"] for platform in (await client.get("/platforms")).json()}
    found = await client.get("/search", params={"platforms": "npm"})
    assert int(found.headers["total"]) > counts["NPM"]
