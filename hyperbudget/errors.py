"""The one exception that a command shows as it stands: somebody's input, file or machine, never our mistake."""

from __future__ import annotations


class UserError(Exception):
    """A message for the user: each line names the place, the value and the way out. Commands exit with `exit_code`."""

    exit_code = 2
