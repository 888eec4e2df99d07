"""The commands behind `./dev`, with private PostgreSQL, Redis, mail sink, Node and Chromium.

Standard library only: `./dev doctor` and `./dev lock` run before any package is installed.
This package is part of the repository, not of the wheel or the image; `wxc` never imports it.
"""
