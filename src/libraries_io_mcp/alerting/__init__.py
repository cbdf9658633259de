"""Evaluates the rule files that Prometheus loads, while Prometheus does not, and tells people.

Knows no MCP and no OpenTelemetry SDK: samples come as plain data from a callable that `app.py` builds.
"""
