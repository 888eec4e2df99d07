"""A mail server for development: it delivers nothing, writes every mail to a file, and says so."""

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

MAX_SIZE = 10 * 1024 * 1024
_MAX_LINE = MAX_SIZE  # cutting a line in two would damage its second part


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True  # a client that keeps its connection must not keep us from ending

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        super().__init__((LOOPBACK, 0), _Conversation)
        self.folder = folder
        self.tell = tell


@contextmanager
def mail_sink(folder: Path, tell: Callable[[str], None]) -> Iterator[int]:
    """Take mails on a free port, which is yielded."""
    folder.mkdir(mode=0o700, exist_ok=True)
    with _Server(folder, tell) as server:
        port: int = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    """One connection, as RFC 5321 wants it, without anything optional but SIZE and 8BITMIME."""

    timeout = 60

    def handle(self) -> None:
        self._recipients: list[str] = []
        self._sent_from: str | None = None
        self._reply("220 WXC mail sink")
        while line := self._next_line():
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._reply("221 Bye")
                return
            self._reply(self._answer(verb.upper(), argument))

    def _answer(self, verb: str, argument: str) -> str:
        match verb:
            case "EHLO":
                return f"250-WXC mail sink\r\n250-SIZE {MAX_SIZE}\r\n250-SMTPUTF8\r\n250 8BITMIME"
            case "HELO" | "NOOP":
                return "250 OK"
            case "RSET":
                return self._reset("250 OK")
            case "MAIL":
                self._sent_from = _address(argument)
                return "250 OK"
            case "RCPT" if self._sent_from is not None:
                self._recipients.append(_address(argument))
                return "250 OK"
            case "DATA" if self._recipients:
                return self._take_mail()
            case "RCPT" | "DATA":
                return "503 In the wrong order"
            case _:
                return "502 Not here"

    def _take_mail(self) -> str:
        self._reply("354 Go ahead, and end with a dot")
        content = bytearray()
        while (line := self._next_line()) != b".\r\n":
            if not line:
                return self._reset("451 The end is missing")
            if len(content) <= MAX_SIZE:
                content += line[1:] if line.startswith(b".") else line  # undo the dot-stuffing
        if len(content) > MAX_SIZE:
            return self._reset("552 Too big")
        server = cast("_Server", self.server)
        server.tell(keep(bytes(content), self._recipients, server.folder))
        return self._reset("250 Taken")

    def _reset(self, answer: str) -> str:
        self._recipients = []
        self._sent_from = None
        return answer

    def _next_line(self) -> bytes:
        try:
            return self.rfile.readline(_MAX_LINE)
        except OSError:  # the other side hung up, or fell silent
            return b""

    def _reply(self, text: str) -> None:
        try:
            self.wfile.write(f"{text}\r\n".encode())
        except OSError:
            self._recipients = []


def keep(content: bytes, recipients: list[str], folder: Path) -> str:
    """Write the mail to a file, and return a line that tells about it."""
    now = datetime.now().astimezone()
    address = re.sub(r"[^A-Za-z0-9@.+_-]+", "_", recipients[0])[:80]
    path = folder / f"{now:%Y%m%d-%H%M%S-%f}-{address}.eml"
    path.write_bytes(content)
    mail = message_from_bytes(content, policy=policy.default)
    line = f"Mail to {', '.join(recipients)}: {mail['subject'] or '(no subject)'} - {path}"
    return _printable(" ".join([line, *_links(mail)]))


def _links(mail: EmailMessage) -> list[str]:
    text = mail.get_body(("plain", "html"))
    return re.findall(r"https?://[^\s\"<>]*[^\s\"<>.,;:!?)\]]", text.get_content()) if text else []


def _address(argument: str) -> str:
    """Return the address in `FROM:<a@b.c> SIZE=1`."""
    found = re.search(r"<([^>]*)>", argument)
    return found[1] if found else argument.partition(":")[2].strip()


def _printable(text: str) -> str:
    """Take out what would do something to a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
