"""The Libraries.io client: knows HTTP and the service's ways, knows no MCP."""
