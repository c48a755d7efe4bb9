-- What a person must look at, and what was done about it.

-- :name late_put
INSERT OR IGNORE INTO late(lsn, rec, kind, dev, at_ms, nops, root)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- :name late_all
SELECT lsn, rec, kind, dev, at_ms, nops FROM late ORDER BY lsn DESC;

-- :name late_del
-- @upto  lsn; seen up to here
DELETE FROM late WHERE lsn <= ?1;

-- :name late_count
SELECT count(*) FROM late;

-- :name moved_put
INSERT OR REPLACE INTO moved(root, title, heir, lsn) VALUES(?1, ?2, ?3, ?4);

-- :name moved_del
DELETE FROM moved WHERE root = ?1;

-- :name moved_all
SELECT root, title, heir, lsn FROM moved ORDER BY lsn DESC, root;

-- :name moved_forget
UPDATE moved SET title = '' WHERE title <> '';

-- :name moved_count
SELECT count(*) FROM moved;

-- :name audit_newest
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- :name audit_put
INSERT INTO audit(seq, at_ms, action, detail, hash, subject, salt, digest,
  root)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- :name audit_since
SELECT seq, at_ms, action, detail FROM audit WHERE at_ms >= ?1 ORDER BY seq;

-- :name audit_all
SELECT seq, at_ms, action, detail, hash, salt, digest FROM audit ORDER BY seq;
