"""The licence of a package as one text that the licence rules can read."""

from libraries_io_mcp.librariesio.models import CheckedProject, Project
from libraries_io_mcp.licences import read_licence

UNTOLD = frozenset({"Other", "NONE", "NOASSERTION"})


def licence_text(project: Project | CheckedProject) -> str | None:
    """The registry's own text where it can be read, since it keeps AND and OR apart; else the service's SPDX list.

    That list does not say whether its licences are a choice, so it is read strictly: all apply. `None`: unknown.
    """
    said = (project.licenses or "").strip()
    if said and said not in UNTOLD:
        reading = read_licence(said)
        if reading.read_as is not None and not reading.unknown:
            return said
    listed = [name for name in project.normalized_licenses or () if name not in UNTOLD]
    return " AND ".join(listed) or said or None
