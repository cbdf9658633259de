"""Judgements by documented rules on what Libraries.io says: versions, health, projects. Unknown is never a pass.

The tools of `judge` and `project` share it; `lookup.py` is the part that asks Libraries.io, `progress.py` the
only one that knows MCP.
"""
