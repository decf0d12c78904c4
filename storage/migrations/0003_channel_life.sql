-- What Telegram says against a channel: restricted, scam, fake; NULL when nothing.
ALTER TABLE channels ADD COLUMN mark TEXT;

-- Channels that the program joined, each with one account: it leaves them when they are removed.
-- What a person joined is not here.
CREATE TABLE memberships (
    account_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    joined_at  TEXT NOT NULL,
    PRIMARY KEY (account_id, channel_id)
) STRICT, WITHOUT ROWID;

-- Names that an account looked up within a day: Telegram allows about 200.
CREATE TABLE lookups (
    account_id   INTEGER NOT NULL,
    looked_up_at TEXT NOT NULL
) STRICT;

CREATE INDEX lookups_by_account ON lookups (account_id, looked_up_at);
