"""What the mails say, as text and as HTML of one wording."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from wxc.models import MailKind


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject and its two bodies."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Wording:
    """The sentences of a kind of mail; `{life}` is how long its link holds."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str = ""
    closing: str = ""


_SOMEBODY_ELSE = "If it was not you, reset your password at once: somebody else knows it."
_WORDINGS: Mapping[MailKind, _Wording] = {
    MailKind.VERIFICATION: _Wording(
        "Confirm your e-mail address",
        ("Welcome to WXC Social. Please confirm that this address is yours.",),
        "Confirm address",
        "The link works once, within {life}. If you have not opened an account, ignore this mail.",
    ),
    MailKind.EMAIL_CHANGE: _Wording(
        "Confirm your new e-mail address",
        ("You asked to use this address for your account. It takes effect once you confirm it.",),
        "Confirm new address",
        "The link works once, within {life}. If you did not ask for this, ignore this mail.",
    ),
    MailKind.PASSWORD_RESET: _Wording(
        "Choose a new password",
        ("Somebody, hopefully you, has asked to choose a new password for your account.",),
        "Choose a new password",
        "The link works once, within {life}. If it was not you, ignore this mail: nothing has "
        "changed.",
    ),
    MailKind.PASSWORD_CHANGED: _Wording(
        "Your password was changed",
        ("The password of your account has just been changed.", _SOMEBODY_ELSE),
    ),
    MailKind.EMAIL_CHANGED: _Wording(
        "Your e-mail address was changed",
        (
            "Your account has another e-mail address from now on; mails no longer come here.",
            "If it was not you, somebody else has your account: please write to us at once.",
        ),
    ),
}


class Letters:
    """Writes letters; the templates are read once."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("wxc.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._text = environment.get_template("letter.txt")
        self._html = environment.get_template("letter.html")

    def write(
        self,
        kind: MailKind,
        *,
        username: str,
        address: str,
        url: str | None,
        lifetime: timedelta,
    ) -> Letter:
        """The letter of a kind.

        Only the username is the member's own: nobody can have us mail their words to others.
        """
        wording = _WORDINGS[kind]
        values = {
            "subject": wording.subject,
            "username": username,
            "address": address,
            "paragraphs": wording.paragraphs,
            "button": wording.button,
            "closing": wording.closing.format(life=_spoken(lifetime)),
            "url": url,
        }
        return Letter(wording.subject, self._text.render(values), self._html.render(values))


def _spoken(span: timedelta) -> str:
    """A time as one would say it: `30 minutes`, `24 hours`."""
    minutes = round(span.total_seconds() / 60)
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"
