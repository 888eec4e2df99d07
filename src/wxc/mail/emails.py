"""The contents of mails: plain text and HTML from the same sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from wxc.models import MailKind


@dataclass(frozen=True, slots=True)
class Email:
    """A mail's subject and its two bodies."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _EmailTemplate:
    """The sentences of a kind of mail; `{life}` is the lifetime of its link."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str = ""
    closing: str = ""


_RESET_ADVICE = "If it was not you, reset your password at once: somebody else knows it."
_TEMPLATES: Mapping[MailKind, _EmailTemplate] = {
    MailKind.VERIFICATION: _EmailTemplate(
        "Confirm your e-mail address",
        ("Welcome to WXC Social. Please confirm that this address is yours.",),
        "Confirm address",
        "The link works once, within {life}. If you have not opened an account, ignore this mail.",
    ),
    MailKind.EMAIL_CHANGE: _EmailTemplate(
        "Confirm your new e-mail address",
        ("You asked to use this address for your account. It takes effect once you confirm it.",),
        "Confirm new address",
        "The link works once, within {life}. If you did not ask for this, ignore this mail.",
    ),
    MailKind.PASSWORD_RESET: _EmailTemplate(
        "Choose a new password",
        ("Somebody, hopefully you, has asked to choose a new password for your account.",),
        "Choose a new password",
        "The link works once, within {life}. If it was not you, ignore this mail: nothing has "
        "changed.",
    ),
    MailKind.PASSWORD_CHANGED: _EmailTemplate(
        "Your password was changed",
        ("The password of your account has just been changed.", _RESET_ADVICE),
    ),
    MailKind.EMAIL_CHANGED: _EmailTemplate(
        "Your e-mail address was changed",
        (
            "Your account has another e-mail address from now on; mails no longer come here.",
            "If it was not you, somebody else has your account: please write to us at once.",
        ),
    ),
}


class EmailRenderer:
    """Renders mails; the template files are read once."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("wxc.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._text = environment.get_template("email.txt")
        self._html = environment.get_template("email.html")

    def render(
        self,
        kind: MailKind,
        *,
        username: str,
        address: str,
        url: str | None,
        lifetime: timedelta,
    ) -> Email:
        """Render a mail of this kind.

        The username is the only text that a member chooses, so nobody can use us to mail their
        own words to others.
        """
        template = _TEMPLATES[kind]
        values = {
            "subject": template.subject,
            "username": username,
            "address": address,
            "paragraphs": template.paragraphs,
            "button": template.button,
            "closing": template.closing.format(life=_format_duration(lifetime)),
            "url": url,
        }
        return Email(template.subject, self._text.render(values), self._html.render(values))


def _format_duration(span: timedelta) -> str:
    """A duration in words: `30 minutes`, `24 hours`."""
    minutes = round(span.total_seconds() / 60)
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"
