-- Which stored posts may hold a word? The index knows posts by numbers that grow with the time of
-- publishing, so that newest first needs no sorting and a period is a range.

CREATE TABLE search_posts (
    id         INTEGER PRIMARY KEY,        -- of the index; about 8 for each second since 1970
    channel_id INTEGER,                    -- NULL: of a text that was edited since; never used again
    message_id INTEGER,
    UNIQUE (channel_id, message_id)
) STRICT;

-- The index holds no text, only which keys (watchers/search_keys.py) stand in a post.
CREATE VIRTUAL TABLE search_index USING fts5(
    keys, content = '', detail = none, columnsize = 0, tokenize = "ascii tokenchars '-_~+'"
);
CREATE VIRTUAL TABLE search_words USING fts5vocab(search_index, row);

-- Posts that wait to be indexed; the newest of these is the next.
CREATE TABLE search_queue (
    id         INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL
) STRICT;

INSERT INTO search_queue (channel_id, message_id)
    SELECT channel_id, message_id FROM posts ORDER BY published_at;

CREATE TRIGGER posts_to_index AFTER INSERT ON posts
BEGIN INSERT INTO search_queue (channel_id, message_id) VALUES (NEW.channel_id, NEW.message_id); END;
CREATE TRIGGER posts_to_index_again AFTER UPDATE OF text, extras ON posts
BEGIN INSERT INTO search_queue (channel_id, message_id) VALUES (NEW.channel_id, NEW.message_id); END;
CREATE TRIGGER posts_renumbered AFTER UPDATE OF message_id ON posts
BEGIN
    UPDATE search_posts SET message_id = NEW.message_id
    WHERE channel_id = OLD.channel_id AND message_id = OLD.message_id;
    INSERT INTO search_queue (channel_id, message_id) VALUES (NEW.channel_id, NEW.message_id);
END;

-- What a chat searched for, so that its buttons work for as long as the message stands there.
CREATE TABLE searches (
    id       INTEGER PRIMARY KEY,
    chat_id  INTEGER NOT NULL REFERENCES chats (id) ON UPDATE CASCADE,
    said     TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    pages    TEXT NOT NULL DEFAULT '[]',   -- below which number of the index each page begins
    best     TEXT NOT NULL DEFAULT '[]'    -- [[channel_id, message_id], …], the best first
) STRICT;
