from enum import StrEnum
from uuid import UUID

from wxc.accounts.auth.devices import Device
from wxc.core.config import Config
from wxc.core.text import fold_identifier
from wxc.http.rate_limits import Hit, Policy


class MemberQuota(StrEnum):
    """What members may do only so often, whatever their address."""

    POSTS = "posts"
    """Posts and comments, and their edits."""
    MENTIONS = "mentions"
    FOLLOWS = "follows"
    LIKES = "likes"
    SEARCHES = "searches"
    REPORTS = "reports"
    EXPORTS = "exports"


class Policies:
    """The rate limits, one for each setting `LIMIT_…`."""

    def __init__(self, config: Config) -> None:
        self._login_per_account_and_ip = Policy.parse(
            "login-account-ip", config.limit_login_per_account_and_ip
        )
        self._login_per_account = Policy.parse("login-account", config.limit_login_per_account)
        self._login_per_device = Policy.parse(
            "login-device", config.limit_login_per_device, is_for_members=True
        )
        self._login_per_ip = Policy.parse("login-ip", config.limit_login_per_ip)
        self._reauthentication = Policy.parse(
            "reauthentication", config.limit_reauthentication, is_for_members=True
        )
        self._register_per_ip = Policy.parse("register-ip", config.limit_register_per_ip)
        self._reset_per_ip = Policy.parse("reset-ip", config.limit_reset_per_ip)
        self._mails_per_ip = Policy.parse("mails-ip", config.limit_mails_per_ip)
        self._mails_per_account = Policy.parse(
            "mails-account", config.limit_mails_per_account, is_for_members=True
        )
        self._of_members = {
            quota: Policy.parse(f"{quota}-account", rates, is_for_members=True)
            for quota, rates in {
                MemberQuota.POSTS: config.limit_posts_per_account,
                MemberQuota.MENTIONS: config.limit_mentions_per_account,
                MemberQuota.FOLLOWS: config.limit_follows_per_account,
                MemberQuota.LIKES: config.limit_likes_per_account,
                MemberQuota.SEARCHES: config.limit_searches_per_account,
                MemberQuota.REPORTS: config.limit_reports_per_account,
                MemberQuota.EXPORTS: config.limit_exports_per_account,
            }.items()
        }
        self._of_unverified = {quota: policy.halved() for quota, policy in self._of_members.items()}

    def login(
        self, identifier: str, network: str, password_generation: int, device: Device | None
    ) -> tuple[Hit, ...]:
        """The limits that a failed login counts towards; `device` is None unless it is trusted.

        A known device of the account counts towards a separate limit only, so a stranger cannot
        lock the owner out (OWASP ASVS 5.0, 6.1.1). All other logins are counted by the folded
        identifier, not by the account: unknown accounts (generation 0) are limited like existing
        ones, and the limits do not reveal which username has which address. The generation is in
        the keys, so that a new password starts with unused limits.
        """
        if device is not None:
            return (Hit(self._login_per_device, (device.id.hex,)),)
        account = (fold_identifier(identifier), str(password_generation))
        return (
            Hit(self._login_per_account_and_ip, (*account, network)),
            Hit(self._login_per_account, account),
            Hit(self._login_per_ip, (network,)),
        )

    def reauthentication(self, user_id: UUID, password_generation: int) -> Hit:
        """A wrong current password; the session may be stolen."""
        return Hit(self._reauthentication, (user_id.hex, str(password_generation)))

    def registration(self, network: str) -> Hit:
        return Hit(self._register_per_ip, (network,))

    def password_reset(self, network: str) -> Hit:
        return Hit(self._reset_per_ip, (network,))

    def mail_request(self, network: str, user_id: UUID | None = None) -> tuple[Hit, ...]:
        """A request for a mail to any recipient; `user_id` is the member who sends it, if any."""
        by_ip = Hit(self._mails_per_ip, (network,))
        if user_id is None:
            return (by_ip,)
        return (by_ip, Hit(self._mails_per_account, (user_id.hex,)))

    def member(
        self, quota: MemberQuota, user_id: UUID, *, is_verified: bool, amount: int = 1
    ) -> Hit:
        """Members have half of a quota until their e-mail address is verified."""
        policies = self._of_members if is_verified else self._of_unverified
        return Hit(policies[quota], (user_id.hex,), amount)
