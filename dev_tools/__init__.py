"""What `./dev` does once Python is there: private engines, and the commands that need them.

Standard library only: `./dev doctor` and `./dev lock` run it before anything is installed.
"""

from dev_tools.engines import Engines, engines

__all__ = ["Engines", "engines"]
