-- Commits the server did not merge, and what became of them.

-- :name quarantine_put
-- @seq @at_ms @code @op @slug @hint; the commit comes from the outbox. What
-- the server made a suggestion of itself (5) needs nobody here any more.
INSERT OR IGNORE INTO quarantine(seq, at_ms, code, op, slug, hint, header,
  payload, sealed, fate, fate_ms, heir)
SELECT seq, ?2, ?3, ?4, ?5, ?6, header, payload, sealed,
  CASE ?3 WHEN 5 THEN 2 ELSE 0 END, CASE ?3 WHEN 5 THEN ?2 ELSE 0 END, 0
FROM outbox WHERE seq = ?1;

-- :name quarantine_open
SELECT id, seq, at_ms, code, op, slug, hint, header, payload, fate, fate_ms,
  heir, sealed FROM quarantine WHERE fate = 0 ORDER BY id;

-- :name quarantine_settled
SELECT id, seq, at_ms, code, op, slug, hint, header, payload, fate, fate_ms,
  heir, sealed FROM quarantine WHERE fate <> 0 ORDER BY fate_ms DESC, id DESC LIMIT ?1;

-- :name quarantine_get
SELECT id, seq, at_ms, code, op, slug, hint, header, payload, fate, fate_ms,
  heir, sealed FROM quarantine WHERE id = ?1 AND fate = 0;

-- :name quarantine_settle
UPDATE quarantine SET fate = ?2, fate_ms = ?3, heir = ?4
WHERE id = ?1 AND fate = 0;

-- :name quarantine_any
SELECT 1 FROM quarantine LIMIT 1;

-- :name quarantine_del
DELETE FROM quarantine WHERE id = ?1;

-- :name quarantine_count
SELECT count(*) FROM quarantine WHERE fate = 0;
