"""Twenty questions of a package researcher: the calls that answer each, what must be in the answers, and the cost.

`cost` is the number of requests to Libraries.io with nothing kept in the cache; with it, a repeated call costs none.
`docs/scenarios.md` shows them; the test beside this file runs them.
"""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Call:
    """One call of a tool: what it costs, and what must stand in the text of its answer."""

    tool: str
    arguments: dict[str, Any]
    cost: int
    says: tuple[str, ...]
    fails: bool = False
    """Whether the answer is an error that says what to do."""


@dataclass(frozen=True)
class Question:
    """One question and the calls that answer it, in order."""

    asked: str
    calls: tuple[Call, ...]

    @property
    def cost(self) -> int:
        """Requests to Libraries.io for the whole of it."""
        return sum(call.cost for call in self.calls)

    def __str__(self) -> str:
        return self.asked[:50]


def page() -> str:
    """docs/scenarios.md."""
    rows = [
        f"| {question.asked} | {', then '.join(f'`{call.tool}`' for call in question.calls)} | {question.cost} |"
        for question in QUESTIONS
    ]
    head = (
        "# What questions cost",
        "Twenty questions, the calls that answer each, and the requests to Libraries.io they cost with an empty cache, "
        "as counted by the sandbox. `tests/scenarios/` holds the arguments and what the answers must say. Repeating a "
        "call costs nothing while its answer is kept (`CACHE_TTL_SECONDS`).",
        "\n".join(("| question | calls | requests |", "|---|---|---|", *rows)),
    )
    return "\n\n".join(head) + "\n"


def npm(*names: str) -> list[dict[str, str]]:
    """Packages of npm."""
    return [{"platform": "npm", "name": name} for name in names]


REQUIREMENTS: Final = "requests==2.28.2\nurllib3<2\nFlask>=3\nnose\nsklearn\nour-own-thing>=1\n-r more.txt\n"
PACKAGE_JSON: Final = """{"name": "shop", "license": "MIT", "dependencies": {"express": "^4.18.0", "request": "^2.88.2",
"lodash": "^4.17.0", "@babel/core": "^7.0.0"}, "devDependencies": {"tslint": "^5.0.0", "vitest": "^1.0.0"}}"""
CARGO: Final = (
    '[package]\nname = "x"\nversion = "0.1.0"\n[dependencies]\nserde = "1"\nfailure = "0.1"\nhyper = "0.14"\n'
)
GO_MOD: Final = (
    "module example.org/x\n\ngo 1.22\n\nrequire (\n\tgithub.com/gin-gonic/gin v1.9.0\n"
    "\tgithub.com/golang/protobuf v1.5.0\n\tgithub.com/pkg/errors v0.9.1\n)\n"
)

QUESTIONS: Final = (
    Question(
        "Which of these five HTTP clients is still maintained, under a licence I can ship?",
        (
            Call(
                "compare_packages",
                {"packages": npm("axios", "got", "node-fetch", "request", "superagent")},
                1,
                ("NPM/request: Deprecated", "NPM/got: no unusual status; MIT", "14.4.7 of 2025-04-10"),
            ),
            Call(
                "check_license_compatibility",
                {"licenses": ["MIT", "Apache-2.0"], "use_case": "distribute"},
                0,
                ("compatible_with_obligations for use case distribute", "not legal advice"),
            ),
        ),
    ),
    Question(
        "What would break if I move this manifest to the newest versions?",
        (
            Call(
                "audit_dependencies",
                {"manifest": PACKAGE_JSON, "filename": "package.json"},
                1,
                ("express ^4.18.0", "the range leaves out 5.1.0", "vitest ^1.0.0", "OUTDATED"),
            ),
            Call("get_package_versions", {"platform": "npm", "name": "express", "limit": 5}, 1, ("5.1.0", "4.")),
        ),
    ),
    Question(
        "What does this repository depend on that is deprecated?",
        (
            Call(
                "get_repository_dependencies",
                {"host": "github", "owner": "contributor-001", "name": "sandbox-example", "summary": True},
                1,
                ("1 deprecated",),
            ),
            Call(
                "get_repository_dependencies",
                {"host": "github", "owner": "contributor-001", "name": "sandbox-example"},
                1,
                ("sklearn * (runtime; newest", "DEPRECATED", "nose * (runtime"),
            ),
        ),
    ),
    Question(
        "Is the package `request` on npm safe to start a new project with?",
        (
            Call(
                "check_package_health",
                {"platform": "npm", "name": "request"},
                3,
                ("CONCERN status: status Deprecated", "Vulnerabilities: Not checked", "https://osv.dev"),
            ),
            Call(
                "find_alternatives", {"platform": "npm", "name": "request"}, 2, ("alternatives to NPM/request", "got")
            ),
        ),
    ),
    Question(
        "May I ship a closed-source program with these Python dependencies?",
        (
            Call(
                "audit_dependencies",
                {
                    "manifest": REQUIREMENTS,
                    "filename": "requirements.txt",
                    "use_case": "link",
                    "project_license": "Proprietary",
                    "include_all": True,
                },
                1,
                ("Licences were judged for link", "unknown: license", "not legal advice"),
            ),
        ),
    ),
    Question(
        "Which entries of my requirements.txt are abandoned?",
        (
            Call(
                "audit_dependencies",
                {"manifest": REQUIREMENTS, "filename": "requirements.txt"},
                1,
                ("nose  (line 4): UNMAINTAINED", "sklearn  (line 5): DEPRECATED", "our-own-thing", "-r more.txt"),
            ),
        ),
    ),
    Question(
        "Write up the state of our dependencies for a pull request.",
        (
            Call(
                "generate_dependency_report",
                {"manifest": REQUIREMENTS, "filename": "requirements.txt"},
                1,
                ("## Dependencies of `requirements.txt`", "| `sklearn` |", "### Could not be read (1)"),
            ),
        ),
    ),
    Question(
        "Which crates in this Cargo.toml need attention?",
        (
            Call(
                "audit_dependencies",
                {"manifest": CARGO, "filename": "Cargo.toml"},
                1,
                ("failure 0.1", "UNMAINTAINED", "hyper 0.14", "OUTDATED"),
            ),
        ),
    ),
    Question(
        "Are the modules of this go.mod current?",
        (
            Call(
                "audit_dependencies",
                {"manifest": GO_MOD, "filename": "go.mod"},
                1,
                ("github.com/golang/protobuf", "DEPRECATED", "github.com/gin-gonic/gin v1.9.0", "OUTDATED"),
            ),
        ),
    ),
    Question(
        "How many packages come along when I install express?",
        (
            Call(
                "get_dependency_tree",
                {"platform": "npm", "name": "express"},
                1,
                ("NPM/express 5.1.0", "packages. Licences:"),
            ),
        ),
    ),
    Question(
        "How much is axios used, and who works on it?",
        (
            Call("get_package_dependents", {"platform": "npm", "name": "axios"}, 1, ("packages and", "depend on it")),
            Call("get_package_contributors", {"platform": "npm", "name": "axios"}, 1, ("contributors, page 1",)),
        ),
    ),
    Question(
        "Why is the SourceRank of `left-pad` what it is?",
        (Call("get_sourcerank", {"platform": "npm", "name": "left-pad"}, 1, ("SourceRank", "-5 is_deprecated")),),
    ),
    Question(
        "Find a well-used MIT-licensed web framework for Python.",
        (
            Call(
                "search_packages",
                {"query": "web framework", "platforms": ["pip"], "sort": "dependents_count"},
                1,
                ("packages", "Pypi/"),
            ),
            Call(
                "compare_packages",
                {"packages": [{"platform": "pypi", "name": name} for name in ("fastapi", "Flask", "Django")]},
                1,
                ("Pypi/fastapi: no unusual status; MIT", "Pypi/Django"),
            ),
        ),
    ),
    Question(
        "What are the most used crates?",
        (Call("get_popular_packages", {"platform": "cargo"}, 1, ("Cargo/serde",)),),
    ),
    Question(
        "May GPL-2.0-only and Apache-2.0 code go into one program that I hand out?",
        (
            Call(
                "check_license_compatibility",
                {"licenses": ["GPL-2.0-only", "Apache-2.0"], "use_case": "distribute"},
                0,
                ("incompatible for use case distribute", "patent clause"),
            ),
        ),
    ),
    Question(
        "Does AGPL code oblige me when I only run a service with it?",
        (
            Call(
                "check_license_compatibility",
                {"licenses": ["AGPL-3.0-only"], "use_case": "saas"},
                0,
                ("compatible_with_obligations for use case saas", "network copyleft"),
            ),
        ),
    ),
    Question(
        "I mean the package `expres`; what is it really called?",
        (
            # Two requests: the package, and a search for close names.
            Call(
                "get_package_info",
                {"platform": "npm", "name": "expres"},
                2,
                ("knows no package 'expres' on NPM", "Did you mean: express?"),
                fails=True,
            ),
            Call("get_package_info", {"platform": "npm", "name": "express"}, 1, ("NPM/express: ",)),
        ),
    ),
    Question(
        "What else does the organisation behind Flask publish?",
        (
            # Stored as Flask: another spelling is redirected, which is a second request.
            Call("get_package_info", {"platform": "pypi", "name": "flask"}, 2, ("https://github.com/pallets/",)),
            Call(
                "get_owner",
                {"host": "github", "login": "pallets", "include": "packages"},
                2,
                ("Flask", "Jinja2", "Werkzeug"),
            ),
        ),
    ),
    Question(
        "Which versions of pydantic came out since 2025, and under which licence?",
        (
            Call(
                "get_package_versions",
                {"platform": "pypi", "name": "pydantic", "since": "2025-01-01"},
                1,
                ("[MIT]", "2025-"),
            ),
        ),
    ),
    Question(
        "Can I afford to audit ten manifests now?",
        (Call("get_quota_status", {}, 0, ("requests left",)),),
    ),
)
