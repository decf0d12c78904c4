-- Who may say what to the bot, and who said what. Owners are named in the settings, not here.

CREATE TABLE team (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given to somebody else
    person_id INTEGER NOT NULL UNIQUE,            -- Telegram user id
    name      TEXT NOT NULL,
    role      TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'operator')),
    since     TEXT NOT NULL
) STRICT;

CREATE TABLE invites (
    hash       TEXT PRIMARY KEY,                  -- SHA-256 of the token, which is kept nowhere
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'operator')),
    made_by    INTEGER NOT NULL,                  -- Telegram user id of an owner
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What everybody in a group may do there at least; NULL: nothing.
ALTER TABLE chats ADD COLUMN role TEXT CHECK (role IN ('viewer', 'member', 'operator'));

-- Command menus that Telegram was given. person_id 0: everybody's in that chat.
CREATE TABLE menus (
    chat_id   INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    role      TEXT NOT NULL,
    PRIMARY KEY (chat_id, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        TEXT NOT NULL,
    person_id INTEGER,                            -- NULL: an administrator who hides behind the group
    name      TEXT,                               -- of somebody of the team as it was then
    chat_id   INTEGER,                            -- where it was said
    what      TEXT NOT NULL                       -- as a command would say it
) STRICT;
