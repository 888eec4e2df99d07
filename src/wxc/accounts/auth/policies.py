"""Rate limits of the account routes, and their keys."""

from uuid import UUID

from wxc.accounts.auth.devices import Device
from wxc.core.config import Config
from wxc.core.text import fold_identifier
from wxc.http.rate_limits import Policy, Use


class Policies:
    """The policies of the account routes, one for each setting `LIMIT_…`."""

    def __init__(self, config: Config) -> None:
        self._login_per_account_and_ip = Policy.of(
            "login-account-ip", config.limit_login_per_account_and_ip
        )
        self._login_per_account = Policy.of("login-account", config.limit_login_per_account)
        self._login_per_device = Policy.of(
            "login-device", config.limit_login_per_device, is_for_members=True
        )
        self._login_per_ip = Policy.of("login-ip", config.limit_login_per_ip)
        self._reauthentication = Policy.of(
            "reauthentication", config.limit_reauthentication, is_for_members=True
        )
        self._register_per_ip = Policy.of("register-ip", config.limit_register_per_ip)
        self._reset_per_ip = Policy.of("reset-ip", config.limit_reset_per_ip)
        self._mails_per_recipient = Policy.of("mails-recipient", config.limit_mails_per_recipient)
        self._mails_per_ip = Policy.of("mails-ip", config.limit_mails_per_ip)
        self._reports_per_account = Policy.of(
            "reports-account", config.limit_reports_per_account, is_for_members=True
        )

    def login(
        self, identifier: str, network: str, user_id: UUID | None, device: Device | None
    ) -> tuple[Use, ...]:
        """The limits that a failed login counts towards.

        A known device of the account has a limit of its own, and only that, so no stranger can
        lock the owner out (OWASP ASVS 5.0, 6.1.1). All other logins are counted by the typed
        identifier: unknown accounts are limited like known ones, and a limit does not reveal
        which username and which address belong together.
        """
        if device is not None and device.user_id == user_id:
            return (Use(self._login_per_device, (device.id.hex,)),)
        folded = fold_identifier(identifier)
        return (
            Use(self._login_per_account_and_ip, (folded, network)),
            Use(self._login_per_account, (folded,)),
            Use(self._login_per_ip, (network,)),
        )

    def reauthentication(self, user_id: UUID) -> Use:
        """A wrong current password in a session, which may be stolen."""
        return Use(self._reauthentication, (user_id.hex,))

    def registration(self, network: str) -> Use:
        """An attempt to register."""
        return Use(self._register_per_ip, (network,))

    def password_reset(self, network: str) -> Use:
        """An attempt to use a reset link."""
        return Use(self._reset_per_ip, (network,))

    def mail_request(self, network: str) -> Use:
        """A request for a mail, whoever the recipient is."""
        return Use(self._mails_per_ip, (network,))

    def mail_to(self, address: str) -> Use:
        """A requested mail to this address."""
        return Use(self._mails_per_recipient, (fold_identifier(address),))

    def report(self, user_id: UUID) -> Use:
        """A report by a member."""
        return Use(self._reports_per_account, (user_id.hex,))
