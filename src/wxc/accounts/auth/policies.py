from uuid import UUID

from wxc.accounts.auth.devices import Device
from wxc.core.config import Config
from wxc.core.text import fold_identifier
from wxc.http.rate_limits import Hit, Policy


class Policies:
    """The rate limits of the account routes, one for each setting `LIMIT_…`."""

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
        self._exports_per_account = Policy.parse(
            "exports-account", config.limit_exports_per_account, is_for_members=True
        )
        self._reports_per_account = Policy.parse(
            "reports-account", config.limit_reports_per_account, is_for_members=True
        )

    def login(
        self, identifier: str, network: str, user_id: UUID | None, device: Device | None
    ) -> tuple[Hit, ...]:
        """The limits that a failed login counts towards.

        A known device of the account counts towards a separate limit only, so a stranger cannot
        lock the owner out (OWASP ASVS 5.0, 6.1.1). All other logins are counted by the folded
        identifier, not by the account: unknown accounts are limited like existing ones, and the
        limits do not reveal which username has which address.
        """
        if device is not None and device.user_id == user_id:
            return (Hit(self._login_per_device, (device.id.hex,)),)
        folded = fold_identifier(identifier)
        return (
            Hit(self._login_per_account_and_ip, (folded, network)),
            Hit(self._login_per_account, (folded,)),
            Hit(self._login_per_ip, (network,)),
        )

    def reauthentication(self, user_id: UUID) -> Hit:
        """A wrong current password; the session may be stolen."""
        return Hit(self._reauthentication, (user_id.hex,))

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

    def export(self, user_id: UUID) -> Hit:
        return Hit(self._exports_per_account, (user_id.hex,))

    def report(self, user_id: UUID) -> Hit:
        return Hit(self._reports_per_account, (user_id.hex,))
