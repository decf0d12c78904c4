-- Which words stand in posts? A word that is searched for with its typos is compared with very many of
-- them, and search_words counts the posts of each that it is asked for.
CREATE TABLE search_vocabulary (
    word TEXT PRIMARY KEY                      -- a key of search_index; stays when its posts are gone
) STRICT, WITHOUT ROWID;

INSERT INTO search_vocabulary SELECT term FROM search_words;
