-- Alerts that people can live with: what is urgent, what was tried, what has changed since.

ALTER TABLE outbox ADD COLUMN severity INTEGER NOT NULL DEFAULT 1 CHECK (severity IN (0, 1, 2));
ALTER TABLE outbox ADD COLUMN tried_at TEXT;    -- a send began, and nothing says that it failed
ALTER TABLE outbox ADD COLUMN reason TEXT;      -- why it is told again, in a few words
-- How often that which an alert tells has changed, and what of it the message in the chat shows.
ALTER TABLE outbox ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;

DROP INDEX outbox_owed;
CREATE INDEX outbox_owed ON outbox (chat_id, severity, id, due_at)
    WHERE sent_at IS NULL AND failed IS NULL;
CREATE INDEX outbox_changed ON outbox (chat_id) WHERE changes > shown AND message_id IS NOT NULL;
CREATE INDEX outbox_hits_by_post ON outbox_hits (channel_id, message_id);

CREATE TRIGGER posts_changed AFTER UPDATE OF text, deleted_at ON posts
BEGIN
    UPDATE outbox SET changes = changes + 1
    WHERE kind = 'alert' AND id IN (
        SELECT delivery_id FROM outbox_hits
        WHERE channel_id = NEW.channel_id AND message_id = NEW.message_id);
END;

ALTER TABLE chats ADD COLUMN zone TEXT;         -- its time zone; NULL: that of the settings
ALTER TABLE chats ADD COLUMN quiet_from TEXT;   -- HH:MM in its zone
ALTER TABLE chats ADD COLUMN quiet_to TEXT;

-- What a chat wants to hear nothing of for a while. `what` says what `target` is the id of.
CREATE TABLE mutes (
    id         INTEGER PRIMARY KEY,
    chat_id    INTEGER NOT NULL REFERENCES chats (id) ON UPDATE CASCADE,
    what       TEXT NOT NULL CHECK (what IN ('chat', 'watchlist', 'term', 'channel')),
    target     INTEGER NOT NULL,
    until      TEXT,                            -- NULL: for good
    UNIQUE (chat_id, what, target)
) STRICT;

-- A monitor's word on a hit. People here are users of the bot, never those who write in channels.
CREATE TABLE verdicts (
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    term_id    INTEGER NOT NULL,
    person_id  INTEGER NOT NULL,
    person     TEXT NOT NULL,                   -- the name that others in the chat know
    useful     INTEGER NOT NULL CHECK (useful IN (0, 1)),
    given_at   TEXT NOT NULL,
    PRIMARY KEY (channel_id, message_id, term_id, person_id),
    FOREIGN KEY (channel_id, message_id, term_id)
        REFERENCES hits (channel_id, message_id, term_id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdicts_given AFTER INSERT ON verdicts
BEGIN
    UPDATE outbox SET changes = changes + 1
    WHERE kind = 'alert' AND id IN (
        SELECT delivery_id FROM outbox_hits
        WHERE channel_id = NEW.channel_id AND message_id = NEW.message_id
          AND term_id = NEW.term_id);
END;
CREATE TRIGGER verdicts_changed AFTER UPDATE ON verdicts
BEGIN
    UPDATE outbox SET changes = changes + 1
    WHERE kind = 'alert' AND id IN (
        SELECT delivery_id FROM outbox_hits
        WHERE channel_id = NEW.channel_id AND message_id = NEW.message_id
          AND term_id = NEW.term_id);
END;
