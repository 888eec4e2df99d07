from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from wxc.cli.engines import EXIT_CODES, Json, run, single_line
from wxc.cli.terminal import show, show_facts, show_json, show_table

if TYPE_CHECKING:
    from wxc.moderation.actions.schemas import LiveSession, MemberDetails, Outcome

user = typer.Typer(
    no_args_is_help=True,
    help="Show, suspend and restore members, and end their sessions.",
    epilog=EXIT_CODES,
)
Identifier = Annotated[
    str, typer.Argument(metavar="NAME|EMAIL|ID", help="The member; case does not matter.")
]


@user.command("show", epilog=EXIT_CODES)
def show_user(
    identifier: Identifier,
    events: Annotated[int, typer.Option(min=0, max=1000, help="Number of audit events.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """Show an account, its sessions and its latest audit events.

    IP addresses are shown as hashes: equal hashes mean the same address.
    """
    from wxc.moderation.actions import service

    found = run(lambda engines: service.show_member(engines.database, identifier, events))
    if as_json:
        show_json(found)
    else:
        _show_member(found)


@user.command("suspend", epilog=EXIT_CODES)
def suspend_user(
    identifier: Identifier,
    reason: Annotated[
        str, typer.Option(help="The reason, for the audit trail; the member does not see it.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Suspend a member; takes effect on every instance before the command returns.

    Ends their sessions, invalidates mailed links and hides their profile and posts. They cannot
    log in until they are restored. Nothing is deleted.
    """
    from wxc.moderation.actions import service

    text = single_line(reason, "--reason")
    outcome = run(
        lambda engines: service.suspend(
            engines.database, engines.revocations, identifier, text, engines.actor
        )
    )
    _show_outcome(outcome, "is suspended", "was suspended already", as_json=as_json)


@user.command("restore", epilog=EXIT_CODES)
def restore_user(identifier: Identifier, *, as_json: Json = False) -> None:
    """End a suspension. The member has to log in again; old sessions and links stay invalid."""
    from wxc.moderation.actions import service

    outcome = run(lambda engines: service.restore(engines.database, identifier, engines.actor))
    _show_outcome(outcome, "is restored", "was not suspended", as_json=as_json)


@user.command("sessions", epilog=EXIT_CODES)
def list_sessions(identifier: Identifier, *, as_json: Json = False) -> None:
    """List a member's sessions, most recently used first; at most 100."""
    from wxc.moderation.actions import service

    found = run(lambda engines: service.show_member(engines.database, identifier, 0))
    if as_json:
        show_json(found.sessions)
    else:
        _show_sessions(found.sessions)


@user.command("end-sessions", epilog=EXIT_CODES)
def end_sessions(
    identifier: Identifier,
    session_id: Annotated[UUID | None, typer.Argument(help="The session to end.")] = None,
    *,
    all_sessions: Annotated[bool, typer.Option("--all", help="End all sessions.")] = False,
    as_json: Json = False,
) -> None:
    """End one or all of a member's sessions; ended on every instance when the command returns."""
    from wxc.moderation.actions import service

    if all_sessions == (session_id is not None):
        raise typer.BadParameter("give either a session id or --all")
    outcome = run(
        lambda engines: service.end_sessions(
            engines.database, engines.revocations, identifier, session_id, engines.actor
        )
    )
    _show_outcome(outcome, "has been logged out", "was not logged in", as_json=as_json)


@user.command("duplicates")
def list_duplicates(*, as_json: Json = False) -> None:
    """List accounts whose usernames or e-mail addresses differ only in letter case.

    Unique indexes prevent them, but a database that was restored without the indexes may have
    some. All but one account of each group must change the name or address in their settings. Exit
    codes: 0 none; 1 some; 2 invalid usage or settings; 3 the database cannot be reached.
    """
    from wxc.moderation.actions import service

    found = run(lambda engines: service.duplicate_members(engines.database))
    if as_json:
        show_json(found)
    else:
        show_table(
            ("WHAT", "FOLDED", "ACCOUNT", "AS TYPED"),
            ((item.kind, item.folded, item.user_id, item.value) for item in found),
        )
    if found:
        raise typer.Exit(1)


def _show_outcome(outcome: "Outcome", done: str, already: str, *, as_json: bool) -> None:
    if as_json:
        show_json(outcome)
        return
    show(f"{outcome.username} {done if outcome.changed else already}.")
    if outcome.sessions_ended:
        show(f"Sessions ended: {outcome.sessions_ended}.")


def _show_member(found: "MemberDetails") -> None:
    show_facts((name, value) for name, value in found.account)
    show("")
    _show_sessions(found.sessions)
    show("")
    show_table(
        ("WHEN", "EVENT", "ACTOR", "ADDRESS", "REQUEST", "DETAIL"),
        (
            (
                event.at,
                event.event,
                event.actor,
                event.address_hash.hex()[:12] if event.address_hash else None,
                event.request_id,
                ", ".join(f"{name}: {value}" for name, value in event.detail.items()),
            )
            for event in found.events
        ),
    )


def _show_sessions(sessions: "list[LiveSession]") -> None:
    show_table(
        ("SESSION", "SINCE", "LAST USED", "BROWSER"),
        ((item.id, item.created_at, item.last_used_at, item.user_agent) for item in sessions),
    )
