-- Messages that an account was shown wrongly or not at all. Where no post of that id is stored, the
-- web preview is still to be asked for it; where one is, no account's word on its deletion counts.
CREATE TABLE gaps (
    channel_id INTEGER NOT NULL,           -- perhaps not watched (yet)
    message_id INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0, -- how often the preview was asked and did not have it
    asked_at   TEXT,                       -- when it was asked last
    PRIMARY KEY (channel_id, message_id)
) STRICT, WITHOUT ROWID;
