"""Contention on one row: an author with a million followers, a post liked by a thousand."""

import sys

from bench.data import fetch_rows, undo_writes
from bench.load import Findings, LoadTest, measure
from bench.many_followers import ORDINARY, POPULAR, database_with_followers, follower_ids
from bench.members import insert_sessions, signed_in
from bench.options import Options
from bench.server import serve_filled, start_server
from bench.settings import environment, wxc
from bench.workloads import post_by
from bench.wrk import Request

_POPULAR, _ORDINARY, _HOT = "post-famous", "post-ordinary", "like-hot"
_LIKERS = 1_000


def post_famous(options: Options) -> Findings:
    """Posts by an author with a million followers and by one with few, alternately."""
    database_url = database_with_followers()
    with serve_filled(database_url) as server, undo_writes(database_url):
        tests = [
            LoadTest(name, server, [post_by(signed_in(server, author))])
            for name, author in ((_ORDINARY, ORDINARY), (_POPULAR, POPULAR))
        ]
        rounds = measure(tests, database_url, options.rounds, options.seconds)
    popular, ordinary = rounds[_POPULAR], rounds[_ORDINARY]
    ratios = {
        "post, app CPU, 1,000,000 followers ÷ few": popular.app_cpu / ordinary.app_cpu,
        "post, database CPU, 1,000,000 followers ÷ few": (
            popular.database_cpu / ordinary.database_cpu
        ),
    }
    return Findings(rounds, ratios)


def like_hot(options: Options) -> Findings:
    """A thousand members like one post, and then withdraw their likes in the same order."""
    database_url = database_with_followers()
    settings = environment(database_url)
    post = fetch_rows(database_url, _RECENT_POST)[0]["id"]
    fetch_rows(database_url, _DELETE_LIKES, post)
    fetch_rows(database_url, _DELETE_NOTIFICATIONS, post)
    likers = insert_sessions(settings, database_url, follower_ids(database_url, _LIKERS))
    requests = [
        Request(f"/posts/{post}/like", headers, method)
        for method in ("POST", "DELETE")
        for headers in likers
    ]
    with start_server([wxc(), "serve"], settings) as server:
        tests = [LoadTest(_HOT, server, requests)]
        rounds = measure(tests, database_url, options.rounds, options.seconds)
    likes_count, likes, likers_count = fetch_rows(database_url, _COUNTS, post)[0]
    if likes_count != likes:
        sys.exit(f"{_HOT}: the post counts {likes_count} likes and has {likes}.")
    return Findings(rounds, {"like-hot, members who liked the post": likers_count})


_RECENT_POST = "SELECT id FROM posts ORDER BY id DESC OFFSET 100 LIMIT 1"
_DELETE_LIKES = """
    WITH deleted AS (DELETE FROM post_likes WHERE post_id = $1 RETURNING id)
    UPDATE posts SET likes_count = likes_count - (SELECT count(*) FROM deleted) WHERE id = $1
"""
_DELETE_NOTIFICATIONS = "DELETE FROM notifications WHERE post_id = $1"
# A hidden notification remains of a withdrawn like.
_COUNTS = """
    SELECT likes_count, (SELECT count(*) FROM post_likes WHERE post_id = posts.id),
           (SELECT count(DISTINCT actor_id) FROM notifications
            WHERE post_id = posts.id AND type = 'post_like')
    FROM posts WHERE id = $1
"""
