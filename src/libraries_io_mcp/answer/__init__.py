"""What every answer has in common, and the one border where a question becomes an MCP tool.

`tool.py` is that border; `model.py` what an answer is; `cutting.py` and `cursor.py` how a long one goes on;
`failure.py` what an error looks like to an agent; `arguments.py` the parameters that many tools share.
"""

from libraries_io_mcp.answer.model import Answer, ListAnswer, LongAnswer, PagedAnswer, Part, SourcedAnswer, shown
from libraries_io_mcp.answer.provenance import Provenance
from libraries_io_mcp.answer.tool import CursorPage, Limit, Tools

__all__ = [
    "Answer",
    "CursorPage",
    "Limit",
    "ListAnswer",
    "LongAnswer",
    "PagedAnswer",
    "Part",
    "Provenance",
    "SourcedAnswer",
    "Tools",
    "shown",
]
