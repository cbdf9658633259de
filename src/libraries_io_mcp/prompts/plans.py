"""The prompts, as a table: what each is for, and its steps with the tools that can do them."""

from typing import Final

from libraries_io_mcp.prompts.plan import Argument, Plan, Step
from libraries_io_mcp.prompts.triage import TRIAGE

PLATFORM: Final = Argument("platform", "Package manager: npm, pypi, cargo, maven, go, rubygems ...")
NAME: Final = Argument("name", "The package, as its platform writes it.")
PACKAGES: Final = Argument("packages", "The packages, each as platform/name, separated by commas; 2 to 10.")
MANIFEST: Final = Argument(
    "manifest",
    "Path of the manifest or lock file, such as requirements.txt or package-lock.json.",
    "the project's manifest (a lock file if there is one; ask for it if you can't read files)",
)
USE_CASE: Final = Argument(
    "use_case", "link, distribute, saas or internal: how others get the program.", "link (say that you assumed it)"
)
PROJECT_LICENSE: Final = Argument(
    "project_license", "Licence under which the project itself is published, SPDX.", "unknown (leave it out)"
)

QUOTA: Final = Step((("get_quota_status", "see that the requests of the plan are left."),))
HEALTH: Final = Step(
    (
        ("check_package_health", "signals with evidence for {platform} {name}, and what is unknown."),
        ("get_package_info", "status, newest version and licence of {platform} {name}."),
    ),
    necessary=True,
)
SOURCERANK: Final = Step((("get_sourcerank", "what its rank is made of; it measures habits and popularity."),))
DEPENDENTS: Final = Step((("get_package_dependents", "how much it is used."),))
VERSIONS: Final = Step((("get_package_versions", "how often it was released of late."),))
ALTERNATIVES: Final = Step((("find_alternatives", "packages with shared keywords: candidates, no recommendation."),))
SIDE_BY_SIDE: Final = Step(
    (
        ("compare_packages", "put the candidates side by side, up to 10 in one request."),
        ("get_package_info", "the same facts for each candidate, one request each."),
    ),
    necessary=True,
)
AUDIT: Final = Step(
    (("audit_dependencies", "give it the text of {manifest} unchanged, with its file name; follow the cursor."),),
    necessary=True,
)

PLANS: Final = (
    TRIAGE,
    Plan(
        "evaluate_package",
        "Evaluate a package",
        "Whether to depend on a package: health, licence, use, and what it pulls in.",
        (PLATFORM, NAME, USE_CASE),
        "Find out whether {platform} {name} is fit to depend on.",
        (
            QUOTA,
            HEALTH,
            Step((("get_dependency_tree", "how many packages it pulls in, and under which licences."),
                  ("get_package_dependencies", "what it depends on, outdated and deprecated ones."))),
            Step((("check_license_compatibility", "its licence for the use case {use_case}."),)),
            DEPENDENTS,
        ),
        "a recommendation (use, use with care, do not use), the three facts that decided it, what is unknown, and "
        "what would change your mind.",
    ),
    Plan(
        "audit_dependencies",
        "Audit a project's dependencies",
        "What in a manifest is outdated, deprecated, unmaintained, missing or badly licensed.",
        (MANIFEST, USE_CASE, PROJECT_LICENSE),
        "Audit the dependencies of {manifest}.",
        (
            QUOTA,
            Step((("audit_dependencies", "give it the text of {manifest} unchanged, with its file name, use case "
                   "{use_case} and project licence {project_license}; follow the cursor to the end."),),
                 necessary=True),
            Step((("check_package_health", "a closer look at the worst three findings."),
                  ("get_package_info", "a closer look at the worst three findings."))),
            Step((("find_alternatives", "for what is removed, deprecated or unmaintained."),)),
            Step((("generate_dependency_report", "the report to paste into a pull request; pass it on unchanged."),)),
        ),
        "what to change first and why, then the rest by finding; names that Libraries.io does not know; what could "
        "not be read.",
    ),
    Plan(
        "analyze_project_health",
        "Analyse a project's health",
        "How healthy the things are that a project stands on.",
        (MANIFEST,),
        "Judge the health of what {manifest} depends on.",
        (
            QUOTA,
            AUDIT,
            Step((("check_package_health", "for each direct dependency with a finding, ten at most."),)),
            Step((("get_repository_dependencies", "with summary, when the project's repository publishes packages."),)),
        ),
        "the share of dependencies without a finding, the ones that carry most risk and why, and what is unknown.",
    ),
    Plan(
        "recommend_packages",
        "Recommend packages",
        "Find packages for a task and choose by facts.",
        (
            Argument("task", "What the package has to do, in a few words."),
            Argument("platform", PLATFORM.description, "any platform"),
            Argument("license", "Licences that are acceptable, SPDX.", "any licence"),
        ),
        "Recommend a package for {task} on {platform}, licence: {license}.",
        (
            QUOTA,
            Step((("search_packages", "two searches with different words for the task; keep what really does it."),),
                 necessary=True),
            ALTERNATIVES,
            SIDE_BY_SIDE,
            Step((("check_package_health", "for the best two."),)),
            Step((("check_license_compatibility", "their licences for your use."),)),
        ),
        "one recommendation and a runner-up, each with the facts that speak for and against it.",
    ),
    Plan(
        "migration_guide",
        "Plan a migration",
        "What changes when one package is replaced by another.",
        (
            Argument("from_platform", "Package manager of the package to leave."),
            Argument("from_name", "The package to leave."),
            Argument("to_platform", "Package manager of the new one.", "the same platform"),
            Argument("to_name", "The package to move to.", "a replacement that you find"),
        ),
        "Plan the move from {from_platform} {from_name} to {to_name} on {to_platform}.",
        (
            Step((("get_package_info", "why leave: status and deprecation reason of {from_name}."),), necessary=True),
            Step((("find_alternatives", "candidates, if the replacement is not given."),)),
            SIDE_BY_SIDE,
            Step((("get_package_dependencies", "what each needs: what comes, what goes."),)),
            Step((("check_license_compatibility", "whether the new licence asks for more."),)),
            Step((("get_package_versions", "which versions of both are current."),)),
        ),
        "what is gained and lost, the order of the steps, and what must be tried by hand: Libraries.io knows no APIs.",
    ),
    Plan(
        "security_assessment",
        "Assess security-related signs",
        "Signs of care about security. Libraries.io has no vulnerability data: this is no vulnerability scan.",
        (PLATFORM, NAME),
        "Collect what is known about the care taken of {platform} {name}. There is no vulnerability data here: say so "
        "in the first sentence, and name https://osv.dev and the ecosystem's own audit command as the places to look.",
        (
            HEALTH,
            Step((("get_repository", "whether a security policy and an audit file exist."),)),
            Step((("get_dependency_tree", "how many packages are trusted along with it."),)),
            Step((("get_package_contributors", "on how many people it rests."),)),
            VERSIONS,
        ),
        "signs for and against, what is unknown, and that vulnerabilities were not checked.",
    ),
    Plan(
        "license_compliance_check",
        "Check licences",
        "Whether the licences of a project's dependencies fit its use.",
        (MANIFEST, USE_CASE, PROJECT_LICENSE),
        "Check the licences of {manifest} for the use case {use_case}, project licence {project_license}.",
        (
            QUOTA,
            AUDIT,
            Step((("check_license_compatibility", "all different licences together, for the use case."),),
                 necessary=True),
            Step((("get_package_info", "the licence text of packages whose licence is unknown."),)),
        ),
        "what does not fit and why, what is unknown and must be read by a person, the obligations of the rest; that "
        "this is not legal advice.",
    ),
    Plan(
        "maintenance_status_report",
        "Report on maintenance",
        "Which of some packages are still maintained.",
        (PACKAGES,),
        "Report on the maintenance of {packages}.",
        (
            QUOTA,
            SIDE_BY_SIDE,
            Step((("check_package_health", "for each that looks quiet or unusual: the evidence."),)),
            VERSIONS,
        ),
        "a table: package, last release, releases in a year, status, verdict with its evidence; unknown where nothing "
        "is known.",
    ),
    Plan(
        "compare_packages",
        "Compare packages",
        "Packages side by side, for one purpose.",
        (PACKAGES, Argument("purpose", "What the choice is for.", "general use")),
        "Compare {packages} for {purpose}.",
        (
            SIDE_BY_SIDE,
            Step((("check_package_health", "for those that are close to each other."),)),
            Step((("check_license_compatibility", "if their licences differ."),)),
            Step((("get_package_dependencies", "if what they pull in matters."),)),
        ),
        "a table of the facts, then which one for {purpose} and why; what is missing is marked.",
    ),
    Plan(
        "ecosystem_exploration",
        "Explore an ecosystem",
        "The lie of the land on one platform: what is used, by whom, under which licences.",
        (PLATFORM, Argument("topic", "A field within it, such as http or testing.", "the whole platform")),
        "Explore {platform}: {topic}.",
        (
            Step((("list_platforms", "how large it is, and what Libraries.io holds of it."),)),
            Step((("get_popular_packages", "the most used ones."),), necessary=True),
            Step((("search_packages", "the topic, sorted by dependents_count."),)),
            Step((("compare_packages", "the leading ones side by side."),)),
        ),
        "the main packages by purpose, how concentrated use is, usual licences, and what is quiet or deprecated.",
    ),
)  # fmt: skip
