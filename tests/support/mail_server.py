"""An SMTP server for tests: stores accepted mails; it can refuse, delay or be closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.support.secrecy import secrecy


@dataclass
class MailServer:
    """The accepted mails, and the configured replies."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    """Replies by command, `.` for the end of a mail; other commands succeed."""
    delay: float = 0.0
    on_accepted: Callable[[], None] | None = None
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen (again), on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve_session(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _serve_session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async def reply(verb: str, default_reply: str) -> bool:
            text = self.replies.get(verb, default_reply)
            await asyncio.sleep(self.delay)
            writer.write(f"{text}\r\n".encode())
            await writer.drain()
            return text.startswith(("2", "3"))

        await reply("", "220 mail.test")
        while line := (await reader.readline()).decode().strip():
            verb = line.partition(" ")[0].upper()
            default_reply = {
                "EHLO": "250-mail.test\r\n250 SMTPUTF8",
                "QUIT": "221 Bye",
                "DATA": "354 Go",
            }
            is_accepted = await reply(verb, default_reply.get(verb, "250 OK"))
            if verb == "RCPT" and is_accepted:
                self.recipients.append(line.partition("<")[2].rpartition(">")[0])
            if verb == "DATA" and is_accepted:
                content = await reader.readuntil(b"\r\n.\r\n")
                if self.replies.get(".", "2").startswith("2"):
                    self._store(content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
                await reply(".", "250 OK")
            if verb == "QUIT":
                return

    def _store(self, content: bytes) -> None:
        self.mails.append(message_from_bytes(content, policy=policy.default))
        if self.on_accepted is not None:
            self.on_accepted()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server that accepts every mail unless `replies` is set."""
    server = MailServer()
    await server.open()
    yield server
    await server.close()


def link_token(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    token = str(body.get_content()).partition("#token=")[2].split()[0]
    secrecy.protect(token)
    return token
