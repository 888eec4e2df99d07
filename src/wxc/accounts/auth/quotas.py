"""The quotas of posts, comments and mentions, for services."""

from dataclasses import dataclass

from wxc.accounts.auth.context import Principal
from wxc.accounts.auth.policies import MemberQuota, Policies
from wxc.http.rate_limits import RateLimiter


@dataclass(frozen=True, slots=True)
class WriteQuota:
    """The quotas of a request that writes a text."""

    limiter: RateLimiter
    policies: Policies
    me: Principal
    is_counted: bool
    """Whether the request was counted with the look-up of its session."""

    async def count(self, mentions: int) -> None:
        """Count the text, unless the request was counted, and its mentions of others.

        Raises `TooManyRequests`, and counts neither, if one of the quotas has too little left.
        """
        amounts = {
            MemberQuota.POSTS: 0 if self.is_counted else 1,
            MemberQuota.MENTIONS: mentions,
        }
        hits = [
            self.policies.member(quota, self.me.id, is_verified=self.me.is_verified, amount=amount)
            for quota, amount in amounts.items()
            if amount
        ]
        if hits:
            await self.limiter.count(*hits)
