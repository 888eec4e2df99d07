"""Fixtures: Ada on two devices, and a mail worker."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from tests.accounts.recovery.conftest import newest_token
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.mail import database, later, mail_config, smtp, worker

__all__ = ["database", "later", "mail_config", "newest_token", "smtp", "worker"]


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def phone(app: FastAPI, ada: Browser) -> AsyncIterator[Browser]:
    """The same member on another device."""
    async with Browser(app) as phone:
        await phone.log_in("ada")
        yield phone
