-- Contents of files that records name (P-440).

-- :name file_find
SELECT id, bytes, have FROM file WHERE hash = @hash AND dev = @dev;

-- :name file_begin
INSERT INTO file(hash, dev, eid, bytes, have, at_ms)
VALUES(@hash, @dev, @eid, @bytes, 0, @now_ms);

-- :name file_others_pieces
DELETE FROM file_piece WHERE file IN (SELECT id FROM file WHERE dev = @dev);

-- :name file_others
DELETE FROM file WHERE dev = @dev;

-- :name file_piece_put
INSERT INTO file_piece(file, at, data) VALUES(@file, @at, @data);

-- :name file_grown
UPDATE file SET have = @have, at_ms = @now_ms WHERE id = @id;

-- :name file_pieces
SELECT data FROM file_piece WHERE file = @file ORDER BY at;

-- :name file_piece
SELECT f.bytes, p.data FROM file f JOIN file_piece p ON p.file = f.id
WHERE f.hash = @hash AND f.dev = 0 AND p.at = @at;

-- :name file_whole
-- Its length is what came, and not what was said when it began.
UPDATE file SET dev = 0, eid = 0, bytes = have WHERE id = @id;

-- :name file_del_pieces
DELETE FROM file_piece WHERE file = @id;

-- :name file_del
DELETE FROM file WHERE id = @id;

-- :name file_of_put
INSERT INTO file_of(hash, eid, unnamed_ms) VALUES(@hash, @eid, 0)
ON CONFLICT(eid, hash) DO UPDATE SET unnamed_ms = 0;

-- :name file_of_has
SELECT 1 FROM file_of WHERE eid = @eid AND hash = @hash;

-- :name file_of_all
SELECT id, hash, eid, unnamed_ms FROM file_of WHERE id > @after ORDER BY id;

-- :name file_of_unnamed
UPDATE file_of SET unnamed_ms = @ms WHERE id = @id;

-- :name file_of_del
DELETE FROM file_of WHERE id = @id;

-- :name file_of_erase
DELETE FROM file_of WHERE eid = @eid;

-- :name file_parts_of
SELECT id FROM file WHERE eid = @eid AND dev <> 0;

-- :name file_parts_old
SELECT id FROM file WHERE dev > 0 AND at_ms < @before_ms;

-- :name file_orphans
-- Whole ones that no record has.
SELECT id FROM file WHERE dev = 0
AND NOT EXISTS (SELECT 1 FROM file_of o WHERE o.hash = file.hash);

-- :name drop_file
DELETE FROM file;

-- :name drop_file_piece
DELETE FROM file_piece;

-- :name drop_file_of
DELETE FROM file_of;
