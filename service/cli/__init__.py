"""The commands. Each topic has a file; what a command does is a use case's business.

`flask --app wsgi COMMAND` and `python -m service.cli COMMAND` run the same ones; the second needs no configured
application, which is what `demo up` starts from.
"""
