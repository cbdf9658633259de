"""Grafana: what is provisioned, and the dashboards as Python that writes their JSON."""
