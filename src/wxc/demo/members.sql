-- Derives used usernames, counters and notifications from the other rows of the demo.

INSERT INTO used_usernames (name, user_id, taken_at)
SELECT username_folded, id, created_at FROM users;

UPDATE users SET has_exchange = true FROM exchanges WHERE owner_id = users.id;

UPDATE users SET followers_count = counted.n
FROM (SELECT followed_id AS id, count(*) AS n FROM follows GROUP BY 1) counted
WHERE users.id = counted.id;

UPDATE users SET following_count = counted.n
FROM (SELECT follower_id AS id, count(*) AS n FROM follows GROUP BY 1) counted
WHERE users.id = counted.id;

UPDATE users SET posts_count = counted.n
FROM (SELECT author_id AS id, count(*) AS n FROM posts GROUP BY 1) counted
WHERE users.id = counted.id;

UPDATE posts SET likes_count = counted.n
FROM (SELECT post_id AS id, count(*) AS n FROM post_likes GROUP BY 1) counted
WHERE posts.id = counted.id;

UPDATE posts SET comments_count = counted.n
FROM (SELECT post_id AS id, count(*) AS n FROM comments GROUP BY 1) counted
WHERE posts.id = counted.id;

UPDATE comments SET replies_count = counted.n, children_count = counted.n
FROM (SELECT parent_id AS id, count(*) AS n FROM comments GROUP BY 1) counted
WHERE comments.id = counted.id;

UPDATE comments SET likes_count = counted.n
FROM (SELECT comment_id AS id, count(*) AS n FROM comment_likes GROUP BY 1) counted
WHERE comments.id = counted.id;

-- Notifications of the first 1,000 members, as the application would have created them; their ids
-- are those of the likes, follows and comments.
WITH recipients AS (SELECT id FROM users ORDER BY id LIMIT 1000), events AS (
    SELECT edge.id, author_id AS recipient_id, 'post_like' AS type, edge.user_id AS actor_id,
           posts.id AS subject_id, posts.id AS group_id, posts.id AS post_id,
           NULL::uuid AS comment_id, edge.created_at
    FROM post_likes edge JOIN posts ON posts.id = edge.post_id
    UNION ALL
    SELECT id, followed_id, 'follow', follower_id, followed_id,
           (lpad(to_hex((extract(epoch FROM date_trunc('day', created_at AT TIME ZONE 'UTC'))
                         * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid,
           NULL, NULL, created_at
    FROM follows
    UNION ALL
    SELECT reply.id, coalesce(parent.author_id, posts.author_id),
           CASE WHEN parent.id IS NULL THEN 'post_comment' ELSE 'comment_reply' END,
           reply.author_id, reply.id, reply.id, reply.post_id, reply.id, reply.created_at
    FROM comments reply JOIN posts ON posts.id = reply.post_id
    LEFT JOIN comments parent ON parent.id = reply.parent_id
)
INSERT INTO notifications (id, recipient_id, type, actor_id, subject_id, group_id, post_id,
                           comment_id, created_at)
SELECT events.* FROM events JOIN recipients ON recipients.id = recipient_id
WHERE actor_id <> recipient_id;
