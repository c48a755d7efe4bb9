-- Contents of files that records name.

-- :name file_put
INSERT INTO file(hash, bytes) VALUES(?1, ?2);

-- :name file_find
SELECT id, bytes FROM file WHERE hash = ?1;

-- :name file_piece_put
INSERT INTO file_piece(file, at, data) VALUES(?1, ?2, ?3);

-- :name file_pieces
SELECT data FROM file_piece WHERE file = ?1 ORDER BY at;

-- :name file_piece
SELECT data FROM file_piece WHERE file = ?1 AND at = ?2;

-- :name file_all
SELECT hash FROM file ORDER BY id;

-- :name file_of_put
INSERT INTO file_of(hash, rec, kind, root, state, since_ms, lsn)
VALUES(?1, ?2, ?3, ?4, ?5, 0, 0)
ON CONFLICT(rec, hash) DO UPDATE SET state = min(state, excluded.state),
  since_ms = CASE excluded.state WHEN 0 THEN 0 ELSE since_ms END;

-- :name file_of_state
SELECT state FROM file_of WHERE rec = ?1 AND hash = ?2;

-- :name file_of_all
SELECT id, hash, rec, kind, state FROM file_of ORDER BY id;

-- :name file_of_next
-- What waits for the server, behind @id.
-- ?2  1: also what it refused before
SELECT o.id, o.hash, o.rec, f.id, f.bytes, o.root, o.since_ms
FROM file_of o JOIN file f ON f.hash = o.hash
WHERE o.state = 0 AND o.id > ?1 AND (o.since_ms = 0 OR ?2)
ORDER BY o.id LIMIT 1;

-- :name file_of_waiting
SELECT count(*), coalesce(sum(f.bytes), 0), coalesce(sum(o.since_ms <> 0), 0)
FROM file_of o JOIN file f ON f.hash = o.hash WHERE o.state = 0;

-- :name file_of_given
UPDATE file_of SET state = ?2, since_ms = ?3, lsn = 0 WHERE id = ?1;

-- :name file_of_refused
-- ?2  since when, 0: it is wanted after all
UPDATE file_of SET since_ms = ?2 WHERE id = ?1 AND state = 0;

-- :name file_of_backed
-- ?1  what a verified backup holds  ?2  given before, and no backup came
UPDATE file_of SET state = 2
WHERE state = 1 AND ((lsn <> 0 AND lsn < ?1) OR since_ms < ?2);

-- :name file_of_at
-- The log reaches to ?1 now: it was given at or below.
UPDATE file_of SET lsn = ?1 WHERE state = 1 AND lsn = 0;

-- :name file_of_again
-- The server was lost: it may have none of them.
UPDATE file_of SET state = 0, since_ms = 0, lsn = 0;

-- :name file_of_del
DELETE FROM file_of WHERE id = ?1;

-- :name file_of_erase
DELETE FROM file_of WHERE rec = ?1 OR root = ?1;

-- :name file_piece_orphans
DELETE FROM file_piece WHERE file IN (SELECT id FROM file
WHERE NOT EXISTS (SELECT 1 FROM file_of o WHERE o.hash = file.hash));

-- :name file_orphans
DELETE FROM file
WHERE NOT EXISTS (SELECT 1 FROM file_of o WHERE o.hash = file.hash);
