from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from wxc.models import MailKind


@dataclass(frozen=True, slots=True)
class Email:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _EmailTemplate:
    """The sentences of the text and HTML; `{life}` in `closing` is the lifetime of the link."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str = ""
    closing: str = ""
    facts: tuple[str, ...] = ()
    """The keys of the mail's detail that are listed below the first paragraph."""


_RESET_ADVICE = (
    "If you did not change it, reset your password now: someone else may have access to your "
    "account."
)
_TEMPLATES: Mapping[MailKind, _EmailTemplate] = {
    MailKind.VERIFICATION: _EmailTemplate(
        "Confirm your e-mail address",
        ("Welcome to WXC Social! Use the link below to confirm your e-mail address.",),
        "Confirm e-mail address",
        "This link expires in {life}. If you did not create an account, you can "
        "ignore this e-mail.",
    ),
    MailKind.EMAIL_CHANGE: _EmailTemplate(
        "Confirm your new e-mail address",
        (
            "You asked to use this e-mail address for your WXC Social account. Use the link below "
            "to confirm the change.",
        ),
        "Confirm new e-mail address",
        "This link expires in {life}. If you did not request this, you can ignore this e-mail.",
    ),
    MailKind.PASSWORD_RESET: _EmailTemplate(
        "Reset your password",
        (
            "We received a request to reset the password of your WXC Social account. Use the link "
            "below to choose a new password.",
        ),
        "Choose a new password",
        "This link works once and expires in {life}. If you did not request this, you can ignore "
        "this e-mail. Your password has not changed.",
    ),
    MailKind.PASSWORD_CHANGED: _EmailTemplate(
        "Your password was changed",
        ("The password of your WXC Social account has been changed.", _RESET_ADVICE),
    ),
    MailKind.EMAIL_CHANGE_REQUESTED: _EmailTemplate(
        "Your e-mail address is about to change",
        (
            "Someone who knows your password asked to use a different e-mail address for your WXC "
            "Social account. If it was you, you can ignore this e-mail.",
            "If it was not you, use the link below to stop the change, and then reset your "
            "password.",
        ),
        "Stop the change",
        "This link works until the change takes effect and expires in {life}.",
    ),
    MailKind.EMAIL_CHANGED: _EmailTemplate(
        "Your e-mail address was changed",
        (
            "Your WXC Social account now uses a different e-mail address. We will send future "
            "e-mails there.",
            "If you did not make this change, someone else may have access to your account.",
        ),
        "Restore this address",
        "This link restores this address and logs your account out everywhere. It expires in "
        "{life}. After using it, reset your password right away: whoever made the change knows it.",
    ),
    MailKind.EMAIL_RESTORED: _EmailTemplate(
        "Your e-mail address was changed back",
        (
            "The change to this e-mail address was undone: your WXC Social account uses its "
            "previous address again, and is logged out everywhere.",
        ),
    ),
    MailKind.NEW_DEVICE: _EmailTemplate(
        "New log-in to your account",
        (
            "Someone has logged in to your WXC Social account on a device that we do not know.",
            "If this was you, you can ignore this e-mail.",
            "If it was not you, reset your password now: someone else knows it. This also logs out "
            "all your devices.",
        ),
        facts=("time", "place", "browser"),
    ),
}


class EmailRenderer:
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
        detail: Mapping[str, str] | None = None,
    ) -> Email:
        """Render an e-mail.

        The username is the only text chosen by a user, which keeps spam out of these e-mails.
        """
        template = _TEMPLATES[kind]
        known = detail or {}
        facts = [(name.title(), known[name]) for name in template.facts if name in known]
        values = {
            "subject": template.subject,
            "username": username,
            "address": address,
            "paragraphs": template.paragraphs,
            "facts": facts,
            "button": template.button,
            "closing": template.closing.format(life=_format_duration(lifetime)),
            "url": url,
        }
        return Email(template.subject, self._text.render(values), self._html.render(values))


def _format_duration(span: timedelta) -> str:
    """For example `30 minutes` or `24 hours`."""
    minutes = round(span.total_seconds() / 60)
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"
