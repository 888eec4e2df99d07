"""SMTP sink for development: writes each mail to a file and announces it; delivers nothing."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from dev_tools.ports import LOOPBACK

MAX_MAIL_BYTES = 10 * 1024 * 1024
_MAX_LINE_BYTES = MAX_MAIL_BYTES  # the rest of a longer line would be parsed as a line of its own
_IDLE_TIMEOUT_SECONDS = 60


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True  # an open connection must not prevent the shutdown

    def __init__(self, folder: Path, announce: Callable[[str], None]) -> None:
        super().__init__((LOOPBACK, 0), _SmtpHandler)
        self.folder = folder
        self.announce = announce


@contextmanager
def mail_sink(folder: Path, announce: Callable[[str], None]) -> Iterator[int]:
    """Accept mails on a free port, which is yielded; `announce` gets one line for each mail."""
    folder.mkdir(mode=0o700, exist_ok=True)
    with _Server(folder, announce) as server:
        port: int = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()


class _SmtpHandler(socketserver.StreamRequestHandler):
    """One connection: the commands that RFC 5321 requires, with SIZE, SMTPUTF8 and 8BITMIME."""

    timeout = _IDLE_TIMEOUT_SECONDS

    def handle(self) -> None:
        self._recipients: list[str] = []
        self._sender: str | None = None
        self._reply("220 WXC mail sink")
        while line := self._read_line():
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._reply("221 Bye")
                return
            self._reply(self._execute(verb.upper(), argument))

    def _execute(self, verb: str, argument: str) -> str:
        """Execute a command and return the reply."""
        match verb:
            case "EHLO":
                size = f"250-SIZE {MAX_MAIL_BYTES}"
                return f"250-WXC mail sink\r\n{size}\r\n250-SMTPUTF8\r\n250 8BITMIME"
            case "HELO" | "NOOP":
                return "250 OK"
            case "RSET":
                return self._reset("250 OK")
            case "MAIL":
                self._sender = _parse_address(argument)
                return "250 OK"
            case "RCPT" if self._sender is not None:
                self._recipients.append(_parse_address(argument))
                return "250 OK"
            case "DATA" if self._recipients:
                return self._receive_mail()
            case "RCPT" | "DATA":
                return "503 Bad sequence of commands"
            case _:
                return "502 Command not implemented"

    def _receive_mail(self) -> str:
        self._reply("354 Start mail input; end with <CRLF>.<CRLF>")
        content = bytearray()
        while (line := self._read_line()) != b".\r\n":
            if not line:
                return self._reset("451 Connection lost before the end of the mail")
            if len(content) <= MAX_MAIL_BYTES:
                content += line[1:] if line.startswith(b".") else line  # undo the dot-stuffing
        if len(content) > MAX_MAIL_BYTES:
            return self._reset("552 Mail too big")
        server = cast("_Server", self.server)
        server.announce(save_mail(bytes(content), self._recipients, server.folder))
        return self._reset("250 OK")

    def _reset(self, reply: str) -> str:
        """Forget the sender and the recipients; return the reply."""
        self._recipients = []
        self._sender = None
        return reply

    def _read_line(self) -> bytes:
        """Return the next line; empty at the end of the connection or after the timeout."""
        try:
            return self.rfile.readline(_MAX_LINE_BYTES)
        except OSError:
            return b""

    def _reply(self, text: str) -> None:
        try:
            self.wfile.write(f"{text}\r\n".encode())
        except OSError:
            self._recipients = []


def save_mail(content: bytes, recipients: list[str], folder: Path) -> str:
    """Write the mail to a file; return a line with its recipients, subject, file and links."""
    now = datetime.now().astimezone()
    address = re.sub(r"[^A-Za-z0-9@.+_-]+", "_", recipients[0])[:80]
    path = folder / f"{now:%Y%m%d-%H%M%S-%f}-{address}.eml"
    path.write_bytes(content)
    mail = message_from_bytes(content, policy=policy.default)
    line = f"Mail to {', '.join(recipients)}: {mail['subject'] or '(no subject)'} - {path}"
    return _without_control_characters(" ".join([line, *_links(mail)]))


def _links(mail: EmailMessage) -> list[str]:
    text = mail.get_body(("plain", "html"))
    return re.findall(r"https?://[^\s\"<>]*[^\s\"<>.,;:!?)\]]", text.get_content()) if text else []


def _parse_address(argument: str) -> str:
    """Return the address in `FROM:<a@b.c> SIZE=1`."""
    found = re.search(r"<([^>]*)>", argument)
    return found[1] if found else argument.partition(":")[2].strip()


def _without_control_characters(text: str) -> str:
    """Replace the characters that could control a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
