"""`GET /platforms`: the platforms of the catalogue with their package counts."""

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import LISTED_STATUSES
from libraries_io_mcp.sandbox.projects import Json
from libraries_io_mcp.sandbox.replies import json_reply

# The language that a platform stands for, and the colour the service shows it in.
LOOKS: dict[str, tuple[str | None, str]] = {
    "NPM": ("JavaScript", "#f1e05a"),
    "Maven": ("Java", "#b07219"),
    "Pypi": ("Python", "#3572A5"),
    "NuGet": ("C#", "#178600"),
    "Go": (None, "#375eab"),
    "Packagist": ("PHP", "#4F5D95"),
    "Rubygems": ("Ruby", "#701516"),
    "Cargo": ("Rust", "#dea584"),
    "CocoaPods": ("Objective-C", "#438eff"),
    "Bower": ("CSS", "#563d7c"),
    "Pub": ("Dart", "#00B4AB"),
    "CRAN": ("R", "#198CE7"),
    "Hex": ("Elixir", "#6e4a7e"),
}


async def platforms(call: Call) -> Response:
    """All platforms, most packages first. Their homepages are invented: no registry's address stands here."""
    return json_reply([_platform(call, name) for name in call.catalogue.platforms])


def _platform(call: Call, name: str) -> Json:
    language, color = LOOKS.get(name, (None, "#fff"))
    listed = [package for package in call.catalogue.packages if package.platform == name]
    return {
        "name": name,
        "project_count": sum(package.status in LISTED_STATUSES for package in listed),
        "homepage": f"https://{name.lower()}.example",
        "color": color,
        "default_language": language,
    }
