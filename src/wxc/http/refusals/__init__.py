"""Refusals: the facts that keep a request from being granted, and how a client reads them.

`base` has the class of all refusals and their registry, `access`, `resources`, `requests` and
`server` those that several features share. A feature's own refusals are in its `errors.py`.
"""
