import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from dev_tools import mail
from dev_tools.ports import LOOPBACK


@pytest.fixture
def announced() -> list[str]:
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mails"


@pytest.fixture
def port(folder: Path, announced: list[str]) -> Iterator[int]:
    with mail.mail_sink(folder, announced.append) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(LOOPBACK, port, timeout=10) as client:
        yield client


def a_mail(to: str = "anna@example.com", text: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "no-reply@example.com"
    message["To"] = to
    message["Subject"] = "Confirm your address"
    message.set_content(text)
    return message


def test_a_mail_is_saved_and_announced_with_its_link(
    client: smtplib.SMTP, folder: Path, announced: list[str]
) -> None:
    client.send_message(a_mail(text="Open (http://localhost:8000/confirm?token=x).\n"))

    (path,) = folder.glob("*-anna@example.com.eml")
    assert b"Subject: Confirm your address" in path.read_bytes()
    assert announced == [
        f"Mail to anna@example.com: Confirm your address - {path}"
        " http://localhost:8000/confirm?token=x"
    ]


def test_a_line_beginning_with_a_dot_is_unchanged(client: smtplib.SMTP, folder: Path) -> None:
    client.send_message(a_mail(text="one\n.\n..two\n"))

    (path,) = folder.iterdir()
    assert path.read_bytes().endswith(b"one\r\n.\r\n..two\r\n")


def test_one_connection_accepts_several_mails(
    client: smtplib.SMTP, folder: Path, announced: list[str]
) -> None:
    for name in ("anna", "ben"):
        client.send_message(a_mail(f"{name}@example.com"))

    assert len(list(folder.iterdir())) == len(announced) == 2


def test_a_recipient_cannot_choose_a_path_outside_the_folder(folder: Path) -> None:
    folder.mkdir()

    mail.save_mail(b"To: x\r\n\r\n", ["../../etc/passwd"], folder)

    (path,) = folder.iterdir()
    assert path.name.endswith("-.._.._etc_passwd.eml")


def test_control_characters_of_a_subject_are_replaced(folder: Path) -> None:
    folder.mkdir()

    line = mail.save_mail(b"Subject: =?utf-8?q?a=1B[2Jb?=\r\n\r\n", ["anna"], folder)

    assert line.isprintable()


def test_a_mail_without_subject_or_text_is_announced(folder: Path) -> None:
    folder.mkdir()

    line = mail.save_mail(b"Content-Type: application/pdf\r\n\r\nx", ["anna"], folder)

    assert "(no subject)" in line


def test_a_mail_that_is_too_big_is_refused(
    client: smtplib.SMTP, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "MAX_MAIL_BYTES", 100)

    with pytest.raises(smtplib.SMTPResponseException, match="Mail too big"):
        client.send_message(a_mail(text="x" * 200))

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [("HELO me", 250), ("NOOP", 250), ("RSET", 250), ("AUTH PLAIN", 502), ("DATA", 503)],
)
def test_a_command_is_answered(client: smtplib.SMTP, command: str, code: int) -> None:
    assert client.docmd(command)[0] == code


def test_recipients_need_a_sender_first(client: smtplib.SMTP) -> None:
    assert client.docmd("RCPT TO:<anna@example.com>")[0] == 503


def test_an_incomplete_mail_is_not_saved(port: int, folder: Path) -> None:
    with socket.create_connection((LOOPBACK, port), timeout=10) as connection:
        connection.sendall(b"MAIL FROM:a@b.c\r\nRCPT TO:a@b.c\r\nDATA\r\nhalf a m")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass

    assert list(folder.iterdir()) == []
