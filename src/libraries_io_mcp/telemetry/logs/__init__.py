"""Log records on their way out: caught at the caller, rendered by one thread, written by one thread a destination."""
