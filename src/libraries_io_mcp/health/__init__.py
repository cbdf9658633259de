"""How the server is, as one report: the HTTP routes, the resource, the tool and the metrics all show this one."""
