-- What a person must look at, and what was done about it.

-- :name quarantine_put
-- @seq @at_ms @slug @hint; the commit comes from the outbox
INSERT OR IGNORE INTO quarantine(seq, at_ms, slug, hint, header, payload)
SELECT seq, ?2, ?3, ?4, header, payload FROM outbox WHERE seq = ?1;

-- :name quarantine_all
SELECT id, at_ms, slug, hint, header, payload, seq FROM quarantine ORDER BY id;

-- :name quarantine_get
SELECT slug, seq FROM quarantine WHERE id = ?1;

-- :name quarantine_del
DELETE FROM quarantine WHERE id = ?1;

-- :name quarantine_count
SELECT count(*) FROM quarantine;

-- :name moved_put
INSERT OR REPLACE INTO moved(root, title, heir, lsn) VALUES(?1, ?2, ?3, ?4);

-- :name moved_del
DELETE FROM moved WHERE root = ?1;

-- :name moved_all
SELECT root, title, heir, lsn FROM moved ORDER BY lsn DESC, root;

-- :name moved_count
SELECT count(*) FROM moved;

-- :name audit_newest
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- :name audit_put
INSERT INTO audit(seq, at_ms, action, detail, hash) VALUES(?1, ?2, ?3, ?4, ?5);

-- :name audit_since
SELECT seq, at_ms, action, detail FROM audit WHERE at_ms >= ?1 ORDER BY seq;

-- :name audit_all
SELECT seq, at_ms, action, detail, hash FROM audit ORDER BY seq;
