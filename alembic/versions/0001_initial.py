"""The whole schema of the first release, table by table.

It replaces the migrations 0001 to 0017. Columns are in the order in which those added them, so that
databases from both are equal (docs/migrations.md).
"""

import re

from alembic import op

revision = "0001_initial"
down_revision = None
branch_labels = None
depends_on = None

# PostgreSQL stores the source of functions, and pg_dump prints it, with its indentation.

# Fills the folded columns for statements that do not, such as manual ones. lower() equals the
# service's function for ASCII; updates to other letters are not folded.
_FOLD_IDENTIFIERS = """
CREATE FUNCTION fold_identifiers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NEW.username_folded := coalesce(NEW.username_folded, lower(NEW.username COLLATE "C"));
            NEW.email_folded := coalesce(NEW.email_folded, lower(NEW.email));
            RETURN NEW;
        END IF;
        IF NEW.username_folded IS NOT DISTINCT FROM OLD.username_folded THEN
            NEW.username_folded := lower(NEW.username COLLATE "C");
        END IF;
        IF NEW.email IS NULL THEN
            NEW.email_folded := NULL;
        ELSIF NEW.email_folded IS NOT DISTINCT FROM OLD.email_folded
                AND octet_length(NEW.email) = length(NEW.email) THEN
            NEW.email_folded := lower(NEW.email COLLATE "C");
        END IF;
        RETURN NEW;
    END $$;
"""

# 40001 is a serialization failure, after which clients retry.
_REQUIRE_COMMIT_BEFORE = """
CREATE FUNCTION require_commit_before(latest timestamptz) RETURNS boolean
        LANGUAGE plpgsql AS $$
        BEGIN
            IF clock_timestamp() < latest THEN
                RETURN true;
            END IF;
            RAISE EXCEPTION 'the row would become visible too late' USING ERRCODE = '40001';
        END $$;
"""

# Refuses updates, and deletions within 30 days regardless of AUDIT_RETENTION.
_GUARD_AUDIT_EVENTS = """
CREATE FUNCTION refuse_change_of_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit events are kept as they are: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END
    $$;
"""

# Refuses updates, and deletions unless the board or its owner's account is deleted. Deletions are
# checked once per statement: checking each row takes ten times as long as deleting it.
_GUARD_RATE_HISTORY = """
CREATE FUNCTION refuse_change_of_rate_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (
            SELECT FROM exchanges JOIN users ON users.id = exchanges.owner_id
            WHERE exchanges.id = OLD.exchange_id AND users.erase_at IS NULL
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the history of rates is kept as it is: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END
    $$;

CREATE FUNCTION refuse_deletion_of_rate_history() RETURNS trigger LANGUAGE plpgsql
    AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM gone
            JOIN exchanges ON exchanges.id = gone.exchange_id
            JOIN users ON users.id = exchanges.owner_id
            WHERE users.erase_at IS NULL
        ) THEN
            RAISE EXCEPTION 'the history of rates is kept as it is: % is refused', TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$;
"""

_USERS = """
CREATE TABLE users (
    id uuid NOT NULL,
    username varchar(30) NOT NULL,
    email varchar(254),
    email_verified_at timestamptz,
    pending_email varchar(254),
    password_hash varchar,
    display_name varchar(50),
    bio varchar(500),
    avatar_url varchar(2000),
    home_currency varchar(3),
    followers_count integer NOT NULL DEFAULT 0,
    following_count integer NOT NULL DEFAULT 0,
    posts_count integer NOT NULL DEFAULT 0,
    has_exchange boolean NOT NULL DEFAULT false,
    suspended_at timestamptz,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    username_changes timestamptz[] NOT NULL DEFAULT '{}',
    erase_at timestamptz,
    username_folded varchar(30),
    email_folded varchar,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_username_form CHECK (username ~ '^[A-Za-z0-9_]{3,30}$'),
    CONSTRAINT ck_users_counts_not_negative
        CHECK (followers_count >= 0 AND following_count >= 0 AND posts_count >= 0),
    CONSTRAINT ck_users_can_log_in
        CHECK (erase_at IS NOT NULL OR (email IS NOT NULL AND password_hash IS NOT NULL)),
    CONSTRAINT ck_users_nothing_personal_is_left
        CHECK (erase_at IS NULL OR (suspended_at IS NOT NULL AND num_nonnulls(
            email, email_verified_at, pending_email, password_hash, display_name, bio, avatar_url,
            home_currency
        ) = 0))
);
CREATE UNIQUE INDEX uq_users_email_lower ON users (lower(email));
CREATE UNIQUE INDEX uq_users_username_lower ON users (lower(username));
CREATE INDEX ix_users_erase_at ON users (erase_at) WHERE erase_at IS NOT NULL;
CREATE INDEX ix_users_username_prefix ON users ("left"(lower(username) COLLATE "C", 30), id);
CREATE INDEX ix_users_display_name_prefix
    ON users ("left"(lower(display_name) COLLATE "C", 30), id);
CREATE INDEX ix_users_username_trigrams ON users USING gin (lower(username) gin_trgm_ops);
CREATE INDEX ix_users_display_name_trigrams ON users USING gin (lower(display_name) gin_trgm_ops);
CREATE INDEX ix_users_suspended ON users (id) WHERE suspended_at IS NOT NULL;
CREATE UNIQUE INDEX uq_users_username_folded ON users (username_folded);
CREATE UNIQUE INDEX uq_users_email_folded ON users (email_folded);
CREATE TRIGGER fold_identifiers BEFORE INSERT OR UPDATE OF username, email ON users
    FOR EACH ROW EXECUTE FUNCTION fold_identifiers();
"""

_USED_USERNAMES = """
CREATE TABLE used_usernames (
    name varchar(30) NOT NULL,
    user_id uuid NOT NULL,
    taken_at timestamptz NOT NULL,
    CONSTRAINT pk_used_usernames PRIMARY KEY (name),
    CONSTRAINT ck_used_usernames_form CHECK (name ~ '^[a-z0-9_]{3,30}$')
);
CREATE INDEX ix_used_usernames_user_id_name ON used_usernames (user_id, name);
"""

_SESSIONS = """
CREATE TABLE sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    user_agent varchar(256),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    idle_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    refreshed_at timestamptz,
    place varchar(64),
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT ck_sessions_generation_not_negative CHECK (generation >= 0),
    CONSTRAINT ck_sessions_idle_within_lifetime CHECK (idle_until <= expires_at),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
"""

_MAIL_TOKENS = """
CREATE TABLE mail_tokens (
    mail_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind varchar(32) NOT NULL,
    address varchar(254) NOT NULL,
    digest bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT pk_mail_tokens PRIMARY KEY (mail_id),
    CONSTRAINT ck_mail_tokens_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT fk_mail_tokens_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_mail_tokens_digest UNIQUE (digest)
);
CREATE INDEX ix_mail_tokens_expires_at ON mail_tokens (expires_at);
CREATE INDEX ix_mail_tokens_user_id ON mail_tokens (user_id);
"""

_OUTBOX_MAILS = r"""
CREATE TABLE outbox_mails (
    id uuid NOT NULL,
    kind varchar(32) NOT NULL,
    user_id uuid,
    address varchar(254) NOT NULL,
    dedup_key varchar(100) NOT NULL,
    state varchar(16) NOT NULL DEFAULT 'waiting',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    first_attempt_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_outbox_mails PRIMARY KEY (id),
    CONSTRAINT ck_outbox_mails_address_one_line CHECK (address !~ '[[\:cntrl\:]]'),
    CONSTRAINT ck_outbox_mails_state_known CHECK (state IN ('waiting', 'sent', 'dropped', 'dead')),
    CONSTRAINT fk_outbox_mails_user_id
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_outbox_mails_dedup_key UNIQUE (dedup_key)
);
CREATE INDEX ix_outbox_mails_dead ON outbox_mails (finished_at) WHERE state = 'dead';
CREATE INDEX ix_outbox_mails_due_at ON outbox_mails (due_at) WHERE state = 'waiting';
CREATE INDEX ix_outbox_mails_finished_at ON outbox_mails (finished_at);
CREATE INDEX ix_outbox_mails_user_id ON outbox_mails (user_id);
"""

_AUDIT_EVENTS = """
CREATE TABLE audit_events (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    event varchar(32) NOT NULL,
    actor varchar(64) NOT NULL,
    user_id uuid,
    session_id uuid,
    address_hash bytea,
    request_id varchar(64),
    detail jsonb NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (id),
    CONSTRAINT ck_audit_events_event_form CHECK (event ~ '^[a-z_]+$'),
    CONSTRAINT ck_audit_events_address_hash_length CHECK (octet_length(address_hash) = 32),
    CONSTRAINT ck_audit_events_detail_small
        CHECK (jsonb_typeof(detail) = 'object' AND octet_length(detail::text) <= 4096)
);
CREATE INDEX ix_audit_events_user_id_id ON audit_events (user_id, id);
CREATE TRIGGER audit_events_are_kept BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_events();
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_events();
"""

_FOLLOWS = """
CREATE TABLE follows (
    id uuid NOT NULL,
    follower_id uuid NOT NULL,
    followed_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_follows PRIMARY KEY (id),
    CONSTRAINT ck_follows_not_oneself CHECK (follower_id <> followed_id),
    CONSTRAINT fk_follows_followed_id
        FOREIGN KEY (followed_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_follows_follower_id
        FOREIGN KEY (follower_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_follows_follower_id_followed_id UNIQUE (follower_id, followed_id)
);
CREATE INDEX ix_follows_followed_id_id ON follows (followed_id, id);
CREATE INDEX ix_follows_follower_id_id ON follows (follower_id, id);
"""

_BLOCKS = """
CREATE TABLE blocks (
    id uuid NOT NULL,
    blocker_id uuid NOT NULL,
    blocked_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_blocks PRIMARY KEY (id),
    CONSTRAINT ck_blocks_not_oneself CHECK (blocker_id <> blocked_id),
    CONSTRAINT fk_blocks_blocked_id
        FOREIGN KEY (blocked_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_blocks_blocker_id
        FOREIGN KEY (blocker_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_blocks_blocker_id_blocked_id UNIQUE (blocker_id, blocked_id)
);
CREATE INDEX ix_blocks_blocked_id_id ON blocks (blocked_id, id);
CREATE INDEX ix_blocks_blocker_id_id ON blocks (blocker_id, id);
"""

_MUTES = """
CREATE TABLE mutes (
    id uuid NOT NULL,
    muter_id uuid NOT NULL,
    muted_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_mutes PRIMARY KEY (id),
    CONSTRAINT ck_mutes_not_oneself CHECK (muter_id <> muted_id),
    CONSTRAINT fk_mutes_muted_id FOREIGN KEY (muted_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_mutes_muter_id FOREIGN KEY (muter_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_mutes_muter_id_muted_id UNIQUE (muter_id, muted_id)
);
CREATE INDEX ix_mutes_muted_id_id ON mutes (muted_id, id);
CREATE INDEX ix_mutes_muter_id_id ON mutes (muter_id, id);
"""

_POSTS = """
CREATE TABLE posts (
    id uuid NOT NULL,
    author_id uuid NOT NULL,
    body text NOT NULL,
    likes_count integer NOT NULL DEFAULT 0,
    comments_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    edited_at timestamptz,
    version integer NOT NULL DEFAULT 0,
    CONSTRAINT pk_posts PRIMARY KEY (id),
    CONSTRAINT ck_posts_body_length CHECK (char_length(body) BETWEEN 1 AND 5000),
    CONSTRAINT ck_posts_counts_not_negative CHECK (likes_count >= 0 AND comments_count >= 0),
    CONSTRAINT fk_posts_author_id FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_posts_author_id_id ON posts (author_id, id);
"""

_POST_LIKES = """
CREATE TABLE post_likes (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    post_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_post_likes PRIMARY KEY (id),
    CONSTRAINT fk_post_likes_post_id FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE,
    CONSTRAINT fk_post_likes_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_post_likes_user_id_post_id UNIQUE (user_id, post_id)
);
CREATE INDEX ix_post_likes_post_id_id ON post_likes (post_id, id);
"""

_COMMENTS = """
CREATE TABLE comments (
    id uuid NOT NULL,
    post_id uuid NOT NULL,
    parent_id uuid,
    depth smallint NOT NULL,
    author_id uuid,
    body text,
    likes_count integer NOT NULL DEFAULT 0,
    replies_count integer NOT NULL DEFAULT 0,
    children_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT pk_comments PRIMARY KEY (id),
    CONSTRAINT ck_comments_tombstone_is_empty
        CHECK ((body IS NULL) = (deleted_at IS NOT NULL)
            AND (author_id IS NULL) = (deleted_at IS NOT NULL)),
    CONSTRAINT ck_comments_top_has_no_parent CHECK ((depth = 0) = (parent_id IS NULL)),
    CONSTRAINT ck_comments_body_length CHECK (char_length(body) BETWEEN 1 AND 2000),
    CONSTRAINT ck_comments_depth_bounded CHECK (depth BETWEEN 0 AND 50),
    CONSTRAINT ck_comments_counts_not_negative
        CHECK (likes_count >= 0 AND replies_count >= 0 AND children_count >= replies_count),
    CONSTRAINT fk_comments_author_id FOREIGN KEY (author_id) REFERENCES users (id),
    CONSTRAINT fk_comments_parent_id
        FOREIGN KEY (parent_id) REFERENCES comments (id) ON DELETE CASCADE,
    CONSTRAINT fk_comments_post_id FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE
);
CREATE INDEX ix_comments_author_id_id ON comments (author_id, id);
CREATE INDEX ix_comments_parent_id_id ON comments (parent_id, id);
CREATE INDEX ix_comments_post_id ON comments (post_id);
CREATE INDEX ix_comments_post_id_id ON comments (post_id, id) WHERE parent_id IS NULL;
"""

_COMMENT_LIKES = """
CREATE TABLE comment_likes (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    comment_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_comment_likes PRIMARY KEY (id),
    CONSTRAINT fk_comment_likes_comment_id
        FOREIGN KEY (comment_id) REFERENCES comments (id) ON DELETE CASCADE,
    CONSTRAINT fk_comment_likes_user_id
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_comment_likes_user_id_comment_id UNIQUE (user_id, comment_id)
);
CREATE INDEX ix_comment_likes_comment_id ON comment_likes (comment_id);
"""

_NOTIFICATIONS = """
CREATE TABLE notifications (
    id uuid NOT NULL,
    recipient_id uuid NOT NULL,
    type varchar(32) NOT NULL,
    actor_id uuid,
    subject_id uuid NOT NULL,
    group_id uuid NOT NULL,
    post_id uuid,
    comment_id uuid,
    hidden_at timestamptz,
    read_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_notifications PRIMARY KEY (id),
    CONSTRAINT ck_notifications_not_ones_own CHECK (actor_id <> recipient_id),
    CONSTRAINT fk_notifications_actor_id
        FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_notifications_comment_id
        FOREIGN KEY (comment_id) REFERENCES comments (id) ON DELETE CASCADE,
    CONSTRAINT fk_notifications_post_id
        FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE,
    CONSTRAINT fk_notifications_recipient_id
        FOREIGN KEY (recipient_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_notifications_actor_id_recipient_id_type_subject_id
        UNIQUE NULLS NOT DISTINCT (actor_id, recipient_id, type, subject_id)
);
CREATE INDEX ix_notifications_comment_id ON notifications (comment_id) WHERE comment_id IS NOT NULL;
CREATE INDEX ix_notifications_post_id ON notifications (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX ix_notifications_recipient_id_group_id_id ON notifications (recipient_id, group_id, id)
    WHERE hidden_at IS NULL;
CREATE INDEX ix_notifications_recipient_id_id ON notifications (recipient_id, id) INCLUDE (group_id)
    WHERE hidden_at IS NULL;
CREATE INDEX ix_notifications_unread ON notifications (recipient_id, group_id)
    WHERE hidden_at IS NULL AND read_at IS NULL;
"""

_IDEMPOTENCY_KEYS = """
CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL,
    route varchar(100) NOT NULL,
    key varchar(255) NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    location varchar(200),
    body text NOT NULL,
    subject_id uuid NOT NULL,
    post_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, route, key),
    CONSTRAINT ck_idempotency_keys_fingerprint_length CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT fk_idempotency_keys_post_id
        FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE,
    CONSTRAINT fk_idempotency_keys_user_id
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX ix_idempotency_keys_post_id ON idempotency_keys (post_id);
CREATE INDEX ix_idempotency_keys_subject_id ON idempotency_keys (subject_id);
"""

_REPORTS = """
CREATE TABLE reports (
    id uuid NOT NULL,
    reporter_id uuid,
    target_type varchar(16) NOT NULL,
    target_id uuid NOT NULL,
    reason varchar(16) NOT NULL,
    detail varchar(1000),
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by varchar(64),
    note varchar(1000),
    CONSTRAINT pk_reports PRIMARY KEY (id),
    CONSTRAINT ck_reports_target_type_known
        CHECK (target_type IN ('user', 'post', 'comment', 'exchange')),
    CONSTRAINT ck_reports_reason_known
        CHECK (reason IN ('spam', 'abuse', 'illegal', 'fraud', 'other')),
    CONSTRAINT ck_reports_closed_as_a_whole
        CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (note IS NULL)),
    CONSTRAINT fk_reports_reporter_id
        FOREIGN KEY (reporter_id) REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX ix_reports_open ON reports (id) WHERE closed_at IS NULL;
CREATE INDEX ix_reports_reporter_id ON reports (reporter_id);
CREATE UNIQUE INDEX uq_reports_open_of_reporter ON reports (reporter_id, target_type, target_id)
    WHERE closed_at IS NULL;
"""

_EXCHANGES = """
CREATE TABLE exchanges (
    id uuid NOT NULL,
    owner_id uuid NOT NULL,
    name varchar(80) NOT NULL,
    base_currency varchar(3) NOT NULL,
    description varchar(1000),
    address varchar(200),
    location geography(POINT, 4326),
    time_zone varchar(64),
    opening_hours jsonb NOT NULL,
    valid_for_hours integer NOT NULL,
    confirmed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    remind_at timestamptz,
    CONSTRAINT pk_exchanges PRIMARY KEY (id),
    CONSTRAINT ck_exchanges_base_currency_form CHECK (base_currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_exchanges_opening_hours_bounded
        CHECK (jsonb_typeof(opening_hours) = 'array' AND jsonb_array_length(opening_hours) <= 28),
    CONSTRAINT ck_exchanges_valid_for_hours_bounded CHECK (valid_for_hours BETWEEN 1 AND 168),
    CONSTRAINT fk_exchanges_owner_id FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_exchanges_owner_id UNIQUE (owner_id)
);
CREATE INDEX ix_exchanges_location ON exchanges USING gist (location);
CREATE INDEX ix_exchanges_remind_at ON exchanges (remind_at) WHERE remind_at IS NOT NULL;
"""

_EXCHANGE_CONFIRMATIONS = """
CREATE TABLE exchange_confirmations (
    id uuid NOT NULL,
    exchange_id uuid NOT NULL,
    at timestamptz NOT NULL,
    base_currency varchar(3) NOT NULL,
    valid_for_hours integer NOT NULL,
    CONSTRAINT pk_exchange_confirmations PRIMARY KEY (id),
    CONSTRAINT fk_exchange_confirmations_exchange_id
        FOREIGN KEY (exchange_id) REFERENCES exchanges (id) ON DELETE CASCADE,
    CONSTRAINT uq_exchange_confirmations_exchange_id_at UNIQUE (exchange_id, at)
);
CREATE TRIGGER exchange_confirmations_are_kept BEFORE UPDATE ON exchange_confirmations
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_rate_history();
CREATE TRIGGER exchange_confirmations_are_not_truncated BEFORE TRUNCATE ON exchange_confirmations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_rate_history();
CREATE TRIGGER exchange_confirmations_are_not_deleted AFTER DELETE ON exchange_confirmations
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion_of_rate_history();
"""

_EXCHANGE_RATES = """
CREATE TABLE exchange_rates (
    id uuid NOT NULL,
    exchange_id uuid NOT NULL,
    currency varchar(3) NOT NULL,
    base_currency varchar(3) NOT NULL,
    unit integer NOT NULL,
    we_buy numeric,
    we_sell numeric,
    min_amount numeric,
    max_amount numeric,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    CONSTRAINT pk_exchange_rates PRIMARY KEY (id),
    CONSTRAINT ck_exchange_rates_base_currency_form CHECK (base_currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_exchange_rates_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_exchange_rates_currency_foreign CHECK (currency <> base_currency),
    CONSTRAINT ck_exchange_rates_max_amount_bounded
        CHECK (max_amount >= 0 AND max_amount < 1e12 AND scale(max_amount) <= 10),
    CONSTRAINT ck_exchange_rates_min_amount_not_above_max_amount CHECK (min_amount <= max_amount),
    CONSTRAINT ck_exchange_rates_min_amount_bounded
        CHECK (min_amount >= 0 AND min_amount < 1e12 AND scale(min_amount) <= 10),
    CONSTRAINT ck_exchange_rates_offered CHECK (num_nonnulls(we_buy, we_sell) > 0),
    CONSTRAINT ck_exchange_rates_unit_known CHECK (unit IN (1, 10, 100, 1000, 10000)),
    CONSTRAINT ck_exchange_rates_shown_for_a_while CHECK (valid_from < valid_to),
    CONSTRAINT ck_exchange_rates_we_buy_not_above_we_sell CHECK (we_buy <= we_sell),
    CONSTRAINT ck_exchange_rates_we_buy_bounded
        CHECK (we_buy > 0 AND we_buy < 1e12 AND scale(we_buy) <= 10),
    CONSTRAINT ck_exchange_rates_we_sell_bounded
        CHECK (we_sell > 0 AND we_sell < 1e12 AND scale(we_sell) <= 10),
    CONSTRAINT fk_exchange_rates_exchange_id
        FOREIGN KEY (exchange_id) REFERENCES exchanges (id) ON DELETE CASCADE
);
CREATE INDEX ix_exchange_rates_currency_exchange_id ON exchange_rates (currency, exchange_id);
CREATE INDEX ix_exchange_rates_exchange_id_valid_to ON exchange_rates (exchange_id, valid_to);
CREATE UNIQUE INDEX uq_exchange_rates_exchange_id_currency ON exchange_rates (exchange_id, currency)
    WHERE valid_to IS NULL;
CREATE INDEX ix_exchange_rates_currency_valid_from_id ON exchange_rates (currency, valid_from, id);
"""

_RATE_EVENTS = """
CREATE TABLE rate_events (
    id uuid NOT NULL,
    exchange_id uuid NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL,
    currency varchar(3) NOT NULL,
    base_currency varchar(3) NOT NULL,
    unit integer NOT NULL,
    we_buy numeric,
    we_sell numeric,
    min_amount numeric,
    max_amount numeric,
    hash bytea NOT NULL,
    CONSTRAINT pk_rate_events PRIMARY KEY (id),
    CONSTRAINT ck_rate_events_base_currency_form CHECK (base_currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_rate_events_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_rate_events_currency_foreign CHECK (currency <> base_currency),
    CONSTRAINT ck_rate_events_max_amount_bounded
        CHECK (max_amount >= 0 AND max_amount < 1e12 AND scale(max_amount) <= 10),
    CONSTRAINT ck_rate_events_min_amount_not_above_max_amount CHECK (min_amount <= max_amount),
    CONSTRAINT ck_rate_events_min_amount_bounded
        CHECK (min_amount >= 0 AND min_amount < 1e12 AND scale(min_amount) <= 10),
    CONSTRAINT ck_rate_events_hash_length CHECK (octet_length(hash) = 32),
    CONSTRAINT ck_rate_events_seq_positive CHECK (seq > 0),
    CONSTRAINT ck_rate_events_unit_known CHECK (unit IN (1, 10, 100, 1000, 10000)),
    CONSTRAINT ck_rate_events_we_buy_not_above_we_sell CHECK (we_buy <= we_sell),
    CONSTRAINT ck_rate_events_we_buy_bounded
        CHECK (we_buy > 0 AND we_buy < 1e12 AND scale(we_buy) <= 10),
    CONSTRAINT ck_rate_events_we_sell_bounded
        CHECK (we_sell > 0 AND we_sell < 1e12 AND scale(we_sell) <= 10),
    CONSTRAINT fk_rate_events_exchange_id
        FOREIGN KEY (exchange_id) REFERENCES exchanges (id) ON DELETE CASCADE,
    CONSTRAINT uq_rate_events_exchange_id_currency_at UNIQUE (exchange_id, currency, at),
    CONSTRAINT uq_rate_events_exchange_id_seq UNIQUE (exchange_id, seq)
);
CREATE TRIGGER rate_events_are_kept BEFORE UPDATE ON rate_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_rate_history();
CREATE TRIGGER rate_events_are_not_truncated BEFORE TRUNCATE ON rate_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_rate_history();
CREATE TRIGGER rate_events_are_not_deleted AFTER DELETE ON rate_events
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion_of_rate_history();
"""

_FUNCTIONS = (
    _FOLD_IDENTIFIERS,
    _REQUIRE_COMMIT_BEFORE,
    _GUARD_AUDIT_EVENTS,
    _GUARD_RATE_HISTORY,
)
# In the order of their foreign keys.
_TABLES = {
    "users": _USERS,
    "used_usernames": _USED_USERNAMES,
    "sessions": _SESSIONS,
    "mail_tokens": _MAIL_TOKENS,
    "outbox_mails": _OUTBOX_MAILS,
    "audit_events": _AUDIT_EVENTS,
    "follows": _FOLLOWS,
    "blocks": _BLOCKS,
    "mutes": _MUTES,
    "posts": _POSTS,
    "post_likes": _POST_LIKES,
    "comments": _COMMENTS,
    "comment_likes": _COMMENT_LIKES,
    "notifications": _NOTIFICATIONS,
    "idempotency_keys": _IDEMPOTENCY_KEYS,
    "reports": _REPORTS,
    "exchanges": _EXCHANGES,
    "exchange_confirmations": _EXCHANGE_CONFIRMATIONS,
    "exchange_rates": _EXCHANGE_RATES,
    "rate_events": _RATE_EVENTS,
}
_FUNCTION_NAMES = (
    "fold_identifiers()",
    "require_commit_before(timestamptz)",
    "refuse_change_of_audit_events()",
    "refuse_change_of_rate_history()",
    "refuse_deletion_of_rate_history()",
)


def upgrade() -> None:
    for extension in ("postgis", "pg_trgm"):
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    for script in (*_FUNCTIONS, *_TABLES.values()):
        for statement in _statements(script):
            op.execute(statement)


def downgrade() -> None:
    """Drop everything except the extensions, which only a superuser can create again."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    for function in _FUNCTION_NAMES:
        op.execute(f"DROP FUNCTION {function}")


def _statements(script: str) -> list[str]:
    """Split at lines that start with CREATE; the driver executes one statement at a time."""
    return [
        one.strip().removesuffix(";")
        for one in re.split(r"^(?=CREATE )", script, flags=re.M)
        if one.strip()
    ]
