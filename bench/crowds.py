"""Many people at one place: an author whom a million follow, a post that a thousand like."""

import sys

from bench.choice import Choice
from bench.crowd import FAMOUS, ORDINARY, crowded, members_of_crowd
from bench.data import rows, writes_undone
from bench.load import Findings, Target, measure
from bench.members import minted, signed_in
from bench.server import served, serving_filled
from bench.settings import environment, wxc
from bench.workloads import posting
from bench.wrk import Request

_FAMOUS, _ORDINARY, _HOT = "post-famous", "post-ordinary", "like-hot"
_LIKERS = 1_000


def post_famous(choice: Choice) -> Findings:
    """Posting, by an author with a million followers and by one with few, in turns."""
    database_url = crowded()
    with serving_filled(database_url) as server, writes_undone(database_url):
        targets = [
            Target(name, server, [posting(signed_in(server, author))])
            for name, author in ((_ORDINARY, ORDINARY), (_FAMOUS, FAMOUS))
        ]
        rounds = measure(targets, database_url, choice.rounds, choice.seconds)
    famous, ordinary = rounds[_FAMOUS], rounds[_ORDINARY]
    ratios = {
        "post, app CPU, 1,000,000 followers ÷ few": famous.app_cpu / ordinary.app_cpu,
        "post, database CPU, 1,000,000 followers ÷ few": (
            famous.database_cpu / ordinary.database_cpu
        ),
    }
    return Findings(rounds, ratios)


def like_hot(choice: Choice) -> Findings:
    """A thousand members like one and the same post, and when all have, take it back in turn."""
    database_url = crowded()
    settings = environment(database_url)
    post = rows(database_url, "SELECT id FROM posts ORDER BY id DESC OFFSET 100 LIMIT 1")[0]["id"]
    rows(database_url, _FORGET_LIKES, post)
    rows(database_url, _FORGET_NOTIFICATIONS, post)
    likers = minted(settings, database_url, members_of_crowd(database_url, _LIKERS))
    requests = [
        Request(f"/posts/{post}/like", headers, method)
        for method in ("POST", "DELETE")
        for headers in likers
    ]
    with served([wxc(), "serve"], settings) as server:
        targets = [Target(_HOT, server, requests)]
        rounds = measure(targets, database_url, choice.rounds, choice.seconds)
    counted, likes, different = rows(database_url, _TALLY, post)[0]
    if counted != likes:
        sys.exit(f"{_HOT}: the post counts {counted} likes and has {likes}.")
    return Findings(rounds, {"like-hot, members who liked the post": different})


_FORGET_LIKES = """
    WITH forgotten AS (DELETE FROM post_likes WHERE post_id = $1 RETURNING id)
    UPDATE posts SET likes_count = likes_count - (SELECT count(*) FROM forgotten) WHERE id = $1
"""
_FORGET_NOTIFICATIONS = "DELETE FROM notifications WHERE post_id = $1"
# Who has taken the like back is still known by the hidden notification.
_TALLY = """
    SELECT likes_count, (SELECT count(*) FROM post_likes WHERE post_id = posts.id),
           (SELECT count(DISTINCT actor_id) FROM notifications
            WHERE post_id = posts.id AND type = 'post_like')
    FROM posts WHERE id = $1
"""
