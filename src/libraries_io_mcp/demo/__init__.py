"""The newcomer's tour: a real client, a small OTLP receiver (tests use it too), and the printing."""
