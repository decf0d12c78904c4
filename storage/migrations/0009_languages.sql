-- Which language a chat is spoken to in.

ALTER TABLE chats ADD COLUMN language TEXT;     -- chosen with /language; NULL: none was
ALTER TABLE chats ADD COLUMN spoken TEXT;       -- of a private chat: the language of the person's Telegram
-- The language in which Telegram was given a menu.
ALTER TABLE menus ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
-- `text`, `reason`, `trouble` and `mark` are English; here is what they were made of, for translations.
ALTER TABLE outbox ADD COLUMN said TEXT;
ALTER TABLE channels ADD COLUMN trouble_said TEXT;
ALTER TABLE channels ADD COLUMN mark_said TEXT;
