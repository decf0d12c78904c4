-- Which story a post with hits tells. A story goes by its first post, which is in here, too.
CREATE TABLE story_posts (
    channel_id       INTEGER NOT NULL,
    message_id       INTEGER NOT NULL,
    story_channel_id INTEGER NOT NULL,
    story_message_id INTEGER NOT NULL,
    PRIMARY KEY (channel_id, message_id),
    FOREIGN KEY (channel_id, message_id) REFERENCES posts (channel_id, message_id)
        ON UPDATE CASCADE,
    FOREIGN KEY (story_channel_id, story_message_id) REFERENCES posts (channel_id, message_id)
        ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX story_posts_of ON story_posts (story_channel_id, story_message_id);
