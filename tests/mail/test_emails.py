from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.mail.emails import Email, EmailRenderer
from wxc.mail.links import Links, digest
from wxc.mail.smtp import SmtpTransport
from wxc.models import MailKind

HOSTILE = "o'brien&<b>\"{{7*7}}{life}@example.com"
NOTICES = (MailKind.PASSWORD_CHANGED, MailKind.EMAIL_RESTORED, MailKind.NEW_DEVICE)


def render(kind: MailKind, username: str = "ada", address: str = "ada@example.com") -> Email:
    url = None if kind in NOTICES else "https://app.example.com/page#token=x"
    return EmailRenderer().render(
        kind,
        username=username,
        address=address,
        url=url,
        lifetime=timedelta(minutes=30),
        detail={"time": "5 March 2026, 07:09 UTC", "place": "Spain & <b>", "browser": "Firefox"}
        if kind is MailKind.NEW_DEVICE
        else {},
    )


@pytest.mark.parametrize("kind", list(MailKind))
class TestEveryKind:
    def test_text_and_html_contain_the_same_sentences(self, kind: MailKind) -> None:
        email = render(kind)

        class Words(HTMLParser):
            def __init__(self) -> None:
                super().__init__()
                self.words = ""

            def handle_data(self, data: str) -> None:
                self.words += f" {data}"

        reader = Words()
        reader.feed(email.html)
        for sentence in email.text.partition("-- ")[0].split("\n\n"):
            assert " ".join(sentence.split()) in " ".join(reader.words.split())
        assert email.text.startswith("Hello ada,\n\n")
        assert "{" not in email.text
        assert "\n\n\n" not in email.text

    def test_hostile_input_is_escaped(self, kind: MailKind) -> None:
        email = render(kind, address=HOSTILE, username="<script>alert(1)</script>")

        assert "<script" not in email.html
        assert "<b>" not in email.html
        assert "{{7*7}}{life}" in email.html
        assert HOSTILE in email.text

    def test_html_loads_no_external_resources(self, kind: MailKind) -> None:
        html = render(kind).html

        assert not any(name in html for name in ("src=", "url(", "<link", "@import", "<script"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1800, "30 minutes"), (86_400, "24 hours"), (3600, "1 hour"), (60, "1 minute")],
)
def test_lifetime_of_a_link_is_written_in_words(seconds: int, words: str) -> None:
    email = EmailRenderer().render(
        MailKind.PASSWORD_RESET,
        username="ada",
        address="a@b.c",
        url="x",
        lifetime=timedelta(seconds=seconds),
    )

    assert f"expires in {words}." in email.text


@pytest.mark.parametrize("address", ["a@b.c\r\nBcc: eve@example.com", "a@b.c\nX: y"])
async def test_a_line_break_never_reaches_a_header(config: Config, address: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        await SmtpTransport(config).deliver(
            Email("s", "t", "h"), address, message_id="<x@y>", created_at=datetime.now(UTC)
        )


class TestLinks:
    def test_token_is_256_bits_and_determined_by_the_mail(self, config: Config) -> None:
        links, mail_id = Links(config), new_id()

        assert links.token(mail_id) == Links(config).token(mail_id)
        assert len(links.token(mail_id)) == 43
        assert links.token(mail_id) != links.token(new_id())
        assert digest(links.token(mail_id)) == links.digest(mail_id)

    def test_tokens_depend_on_the_secret(self, config: Config) -> None:
        other = config.model_copy(update={"secret_key": config.jwt_secret_key})
        mail_id = new_id()

        assert Links(config).token(mail_id) != Links(other).token(mail_id)

    def test_international_frontend_domain_is_ascii(self, config: Config) -> None:
        config = config.model_copy(update={"frontend_url": "https://bücher.example:8443/app"})

        assert Links(config).domain == "xn--bcher-kva.example"

    @pytest.mark.parametrize("token", ["", "a" * 42, "a" * 44, "é" * 43, "a" * 42 + "\n"])
    def test_malformed_token_has_no_digest(self, token: str) -> None:
        assert digest(token) is None
