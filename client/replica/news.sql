-- What became of own work.

-- :name news_put
INSERT OR IGNORE INTO news(lsn, what, rec, hlc, kind, by, at_ms, was, is_,
  root)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- :name news_all
SELECT lsn, what, rec, hlc, kind, by, at_ms, was, is_ FROM news
ORDER BY lsn DESC, rec, hlc, what;

-- :name news_seen
-- @upto  lsn; seen up to here
DELETE FROM news WHERE lsn <= ?1;

-- :name news_count
SELECT count(*) FROM news;

-- :name erase_news
DELETE FROM news WHERE rec = ?1 OR root = ?1;
