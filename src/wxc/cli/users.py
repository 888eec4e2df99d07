"""`wxc user`: the account, suspension and sessions of a member."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from wxc.cli.engines import EXIT_CODES, Json, run, single_line
from wxc.cli.terminal import show, show_facts, show_json, show_table

if TYPE_CHECKING:
    from wxc.moderation.actions.schemas import LiveSession, MemberDetails, Outcome

user = typer.Typer(
    no_args_is_help=True,
    help="Look into a member's account, suspend and restore it, end its sessions.",
    epilog=EXIT_CODES,
)
Identifier = Annotated[
    str, typer.Argument(metavar="NAME|EMAIL|ID", help="Whose account, in any case.")
]


@user.command("show", epilog=EXIT_CODES)
def show_user(
    identifier: Identifier,
    events: Annotated[int, typer.Option(min=0, max=1000, help="How many audit events.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """Show an account, where it is logged in, and its last audit events.

    Addresses are hashes: equal ones came from the same address, and that is all they tell.
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
        str, typer.Option(help="Why, for the audit trail; the member does not see it.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Lock a member out at once, on every instance.

    Their sessions end, mailed links are void, their profile and posts are gone for others, and
    they cannot log in until restored. Nothing is deleted.
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
    """End a suspension. Sessions and links that it has ended stay dead: the member logs in anew."""
    from wxc.moderation.actions import service

    outcome = run(lambda engines: service.restore(engines.database, identifier, engines.actor))
    _show_outcome(outcome, "is restored", "was not suspended", as_json=as_json)


@user.command("sessions", epilog=EXIT_CODES)
def list_sessions(identifier: Identifier, *, as_json: Json = False) -> None:
    """List where a member is logged in, the last used first; a hundred at most."""
    from wxc.moderation.actions import service

    found = run(lambda engines: service.show_member(engines.database, identifier, 0))
    if as_json:
        show_json(found.sessions)
    else:
        _show_sessions(found.sessions)


@user.command("end-sessions", epilog=EXIT_CODES)
def end_sessions(
    identifier: Identifier,
    session_id: Annotated[UUID | None, typer.Argument(help="Which one.")] = None,
    *,
    all_sessions: Annotated[bool, typer.Option("--all", help="Every one.")] = False,
    as_json: Json = False,
) -> None:
    """End one of a member's sessions, or all: dead on every instance when this returns."""
    from wxc.moderation.actions import service

    if all_sessions == (session_id is not None):
        raise typer.BadParameter("say either which session, or --all")
    outcome = run(
        lambda engines: service.end_sessions(
            engines.database, engines.revocations, identifier, session_id, engines.actor
        )
    )
    _show_outcome(outcome, "is logged out there", "was not logged in", as_json=as_json)


@user.command("duplicates")
def list_duplicates(*, as_json: Json = False) -> None:
    """List accounts whose usernames or e-mail addresses differ only in the case of letters.

    Unique indexes prevent them; there may be some in a database that was restored without these.
    Let all but one of each take another name or address, in their settings. Exit codes: 0 there are
    none; 1 there are some; 2 wrong usage or settings; 3 the database cannot be reached.
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
