-- Digests of a period, and how much is usual.

-- A digest that was asked for tells a period, whatever of it was told before.
ALTER TABLE outbox ADD COLUMN period_from TEXT;
ALTER TABLE outbox ADD COLUMN period_to TEXT;
ALTER TABLE outbox ADD COLUMN wanted TEXT;      -- JSON: watchlists, channels, terms, languages
-- Which of a digest's messages is to be sent next: 0 its chart, 1 its stories, 2 its file.
ALTER TABLE outbox ADD COLUMN part INTEGER NOT NULL DEFAULT 0 CHECK (part IN (0, 1, 2));

-- How many posts touched a term in each ten minutes: what is usual can be asked for quickly.
CREATE TABLE activity (
    slot    TEXT NOT NULL,                      -- the beginning of a moment: 2026-01-01T12:3
    term_id INTEGER NOT NULL REFERENCES terms (id),
    posts   INTEGER NOT NULL,
    PRIMARY KEY (slot, term_id)
) STRICT, WITHOUT ROWID;

INSERT INTO activity
SELECT substr(published_at, 1, 15), term_id, count(*)
FROM hits JOIN posts USING (channel_id, message_id) GROUP BY 1, 2;

CREATE TRIGGER hits_counted AFTER INSERT ON hits
BEGIN
    INSERT INTO activity
    SELECT substr(published_at, 1, 15), NEW.term_id, 1 FROM posts
    WHERE channel_id = NEW.channel_id AND message_id = NEW.message_id
    ON CONFLICT DO UPDATE SET posts = posts + 1;
END;

-- Unusual activity that was told of, so that it is told once.
CREATE TABLE surges (
    watchlist_id INTEGER NOT NULL REFERENCES watchlists (id),
    raised_at    TEXT NOT NULL,
    PRIMARY KEY (watchlist_id, raised_at)
) STRICT, WITHOUT ROWID;

-- What a chat was never told is looked for from here on, not in all that was ever found.
ALTER TABLE subscriptions ADD COLUMN told_to TEXT;
DROP INDEX hits_by_watchlist;
CREATE INDEX hits_by_watchlist ON hits (watchlist_id, found_at);
