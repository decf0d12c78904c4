-- Moments are ISO 8601 text in UTC with milliseconds. Lists are JSON.

CREATE TABLE channels (
    id         INTEGER PRIMARY KEY,        -- bare MTProto id
    username   TEXT,                       -- without @; may change hands
    title      TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('channel', 'group')),
    start      INTEGER NOT NULL,           -- newest message id when it was added
    cursor     INTEGER NOT NULL,           -- newest message id below which nothing is missing
    looked_at  TEXT,                       -- last successful look at its history
    repaired   INTEGER NOT NULL DEFAULT 0, -- posts found by catch-up below newer ones
    silent     INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1)),  -- and its owners were told
    trouble    TEXT,                       -- why it can't be read; NULL when it can
    added_at   TEXT NOT NULL,
    removed_at TEXT                        -- its posts stay; an import knows it without watching
) STRICT;

-- An access hash is good for one Telegram account only.
CREATE TABLE access_hashes (
    account_id  INTEGER NOT NULL,
    channel_id  INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,
    PRIMARY KEY (account_id, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE posts (
    channel_id   INTEGER NOT NULL REFERENCES channels (id),
    message_id   INTEGER NOT NULL,
    published_at TEXT NOT NULL,
    edited_at    TEXT,
    seen_at      TEXT NOT NULL,            -- when we stored it
    text         TEXT NOT NULL,            -- as shown, without markup
    extras       TEXT NOT NULL DEFAULT '[]',  -- [[kind, text], …]: searched, not shown as text
    deleted_at   TEXT,                     -- when we saw that it was gone; the text stays
    forward      TEXT,                     -- JSON: where a forwarded post was published first
    views        INTEGER,                  -- as of when it was last read
    forwards     INTEGER,
    group_id     INTEGER,                  -- Telegram's mark of an album
    PRIMARY KEY (channel_id, message_id)
) STRICT;

CREATE INDEX posts_by_group ON posts (channel_id, group_id) WHERE group_id IS NOT NULL;

-- Files whose import was interrupted.
CREATE TABLE imports (
    file     TEXT PRIMARY KEY,             -- its size and a hash of its beginning
    position INTEGER NOT NULL              -- how many of its messages are stored
) STRICT, WITHOUT ROWID;

-- History wanted from before a channel was watched.
CREATE TABLE backfills (
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id),
    until      TEXT NOT NULL,              -- posts older than this are not wanted
    below      INTEGER NOT NULL,           -- message ids from here on are read
    chat_id    INTEGER NOT NULL REFERENCES chats (id) ON UPDATE CASCADE,  -- that asked for it
    thread_id  INTEGER,
    asked_at   TEXT NOT NULL,
    posts      INTEGER NOT NULL DEFAULT 0, -- that came of it
    hits       INTEGER NOT NULL DEFAULT 0,
    done_at    TEXT
) STRICT;

-- The messages of an album, each pointing to the post that they are together.
CREATE TABLE album_messages (
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    post_id    INTEGER NOT NULL,           -- posts.message_id
    PRIMARY KEY (channel_id, message_id),
    FOREIGN KEY (channel_id, post_id) REFERENCES posts (channel_id, message_id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX album_messages_of ON album_messages (channel_id, post_id);

-- What a post said before it was edited.
CREATE TABLE post_versions (
    channel_id  INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    since       TEXT NOT NULL,             -- when this text was published or edited in
    replaced_at TEXT NOT NULL,             -- when we saw that it had changed
    text        TEXT NOT NULL,
    extras      TEXT NOT NULL,
    PRIMARY KEY (channel_id, message_id, since, replaced_at),
    FOREIGN KEY (channel_id, message_id) REFERENCES posts (channel_id, message_id)
        ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX posts_by_time ON posts (published_at);

CREATE TABLE watchlists (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    title      TEXT NOT NULL,
    severity   TEXT NOT NULL DEFAULT 'normal' CHECK (severity IN ('low', 'normal', 'high')),
    languages  TEXT NOT NULL DEFAULT '[]',
    channels   TEXT NOT NULL DEFAULT '[]',
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE terms (
    id           INTEGER PRIMARY KEY,
    watchlist_id INTEGER NOT NULL REFERENCES watchlists (id),
    name         TEXT NOT NULL,            -- an entity's name, or the rule as written
    kind         TEXT,
    aliases      TEXT NOT NULL DEFAULT '[]',
    unless       TEXT,
    created_at   TEXT NOT NULL,
    removed_at   TEXT                      -- its hits stay, and so does what is owed for them
) STRICT;

CREATE UNIQUE INDEX terms_by_name ON terms (watchlist_id, name) WHERE removed_at IS NULL;

CREATE TABLE hits (
    channel_id   INTEGER NOT NULL,
    message_id   INTEGER NOT NULL,
    watchlist_id INTEGER NOT NULL REFERENCES watchlists (id),
    term_id      INTEGER NOT NULL REFERENCES terms (id),
    found_at     TEXT NOT NULL,
    spans        TEXT NOT NULL,            -- [[start, end], …] in posts.text, Python characters
    matched      TEXT NOT NULL,            -- the text of each span
    elsewhere    TEXT NOT NULL DEFAULT '[]',  -- [[kind, matched], …] in posts.extras
    disguised    INTEGER NOT NULL DEFAULT 0 CHECK (disguised IN (0, 1)),
    history      INTEGER NOT NULL DEFAULT 0 CHECK (history IN (0, 1)),  -- by import or backfill: no news
    PRIMARY KEY (channel_id, message_id, term_id),
    FOREIGN KEY (channel_id, message_id) REFERENCES posts (channel_id, message_id)
        ON UPDATE CASCADE
) STRICT;

CREATE INDEX hits_by_watchlist ON hits (watchlist_id, channel_id, message_id);

CREATE TABLE chats (
    id            INTEGER PRIMARY KEY,     -- Bot API chat id
    paused_at     TEXT,                    -- the bot may not write there; what is owed is kept
    paused_reason TEXT,
    CHECK ((paused_at IS NULL) = (paused_reason IS NULL))
) STRICT;

-- ON UPDATE CASCADE: a group that becomes a supergroup gets a new id.
CREATE TABLE subscriptions (
    id           INTEGER PRIMARY KEY,
    watchlist_id INTEGER NOT NULL REFERENCES watchlists (id),
    chat_id      INTEGER NOT NULL REFERENCES chats (id) ON UPDATE CASCADE,
    thread_id    INTEGER,                  -- forum topic to tell it in
    schedule     TEXT NOT NULL,            -- now | hourly | daily HH:MM
    created_at   TEXT NOT NULL,
    UNIQUE (watchlist_id, chat_id)
) STRICT;

-- A scheduled digest is made once for each slot, whatever clocks and restarts do.
CREATE TABLE digest_slots (
    subscription_id INTEGER NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
    slot            TEXT NOT NULL,         -- local date and time
    PRIMARY KEY (subscription_id, slot)
) STRICT, WITHOUT ROWID;

-- One row is one message.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    chat_id    INTEGER NOT NULL REFERENCES chats (id) ON UPDATE CASCADE,
    thread_id  INTEGER,
    kind       TEXT NOT NULL CHECK (kind IN ('alert', 'digest', 'notice')),
    text       TEXT,                       -- a notice's text; the others are made from their hits
    created_at TEXT NOT NULL,
    due_at     TEXT NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    sent_at    TEXT,
    message_id INTEGER,                    -- in the chat, when known
    failed     TEXT,                       -- why we stopped trying
    CHECK ((kind = 'notice') = (text IS NOT NULL))
) STRICT;

CREATE INDEX outbox_owed ON outbox (chat_id, due_at, id) WHERE sent_at IS NULL AND failed IS NULL;

CREATE TABLE outbox_hits (
    delivery_id INTEGER NOT NULL REFERENCES outbox (id),
    chat_id     INTEGER NOT NULL REFERENCES chats (id) ON UPDATE CASCADE,
    channel_id  INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    term_id     INTEGER NOT NULL,
    PRIMARY KEY (chat_id, channel_id, message_id, term_id),  -- a chat is told of a hit once
    FOREIGN KEY (channel_id, message_id, term_id)
        REFERENCES hits (channel_id, message_id, term_id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_hits_of ON outbox_hits (delivery_id);

-- Grows with every change of what is watched for, by whichever process: who holds a compiled
-- matcher sees that it is stale.
CREATE TABLE revision (number INTEGER NOT NULL) STRICT;
INSERT INTO revision VALUES (1);

CREATE TRIGGER terms_added AFTER INSERT ON terms
BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER terms_changed AFTER UPDATE ON terms
BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER watchlists_changed AFTER UPDATE ON watchlists
BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER channels_added AFTER INSERT ON channels WHEN NEW.removed_at IS NULL
BEGIN UPDATE revision SET number = number + 1; END;
CREATE TRIGGER channels_changed AFTER UPDATE OF username, removed_at ON channels
BEGIN UPDATE revision SET number = number + 1; END;
