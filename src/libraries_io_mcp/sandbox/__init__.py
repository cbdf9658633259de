"""A stand-in for the Libraries.io API, for demonstrations, tests and load runs.

It answers as the service does, quirks included, from a small catalogue of real packages that comes with it. Start at
`app.create_app`. It imports nothing else of this program, so that the two can't agree by accident.
"""
