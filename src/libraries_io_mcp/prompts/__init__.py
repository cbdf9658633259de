"""Prompts: plans for a model, written with the tools that are switched on and no others."""

from collections.abc import Iterable

from fastmcp import FastMCP

from libraries_io_mcp.prompts.plan import PlanPrompt
from libraries_io_mcp.prompts.plans import PLANS


def register_prompts(server: FastMCP, tool_names: Iterable[str]) -> None:
    """Add the prompts whose necessary steps can be done with these tools."""
    tools = frozenset(tool_names)
    for plan in PLANS:
        if plan.possible(tools):
            server.add_prompt(PlanPrompt.of(plan, tools))


__all__ = ["register_prompts"]
