-- What was erased, and finding it. Rarely run.

-- :name erase_answered
SELECT o.seq, o.header, o.payload FROM outbox AS o JOIN answer AS a
ON a.seq = o.seq WHERE o.payload IS NOT NULL;

-- :name erase_settle
UPDATE answer SET state = 2 WHERE seq = ?1 AND state = 1;

-- :name erase_set_aside
SELECT id, header, payload FROM quarantine;

-- Of a record, and of all that were a customer's, also those not here any more.

-- :name erase_late
DELETE FROM late WHERE rec = ?1 OR root = ?1;

-- :name erase_conflicts
DELETE FROM conflict_log WHERE rec = ?1 OR root = ?1;

-- :name conflicts_parted
-- Of the record alone (P-398).
DELETE FROM conflict_log WHERE rec = ?1;

-- What is kept under ids and does not say whose it was; the records may have no
-- row here.

-- :name late_recs
SELECT DISTINCT rec FROM late WHERE root IS NULL;

-- :name late_forget
DELETE FROM late WHERE rec = ?1 AND root IS NULL;

-- :name conflict_log_recs
SELECT DISTINCT rec FROM conflict_log WHERE root IS NULL;

-- :name conflict_log_forget
DELETE FROM conflict_log WHERE rec = ?1 AND root IS NULL;

-- :name news_recs
-- With texts: the answer to a suggestion is about what its author has no more.
SELECT DISTINCT rec FROM news WHERE (was <> '' OR is_ <> '') AND root IS NULL;

-- :name news_forget
DELETE FROM news WHERE rec = ?1 AND (was <> '' OR is_ <> '') AND root IS NULL;

-- :name audit_recs
SELECT DISTINCT subject FROM audit WHERE subject IS NOT NULL
  AND salt IS NOT NULL AND root IS NULL;

-- :name audit_forget
UPDATE audit SET detail = '', salt = NULL
WHERE ?1 IN (substr(subject, 1, 16), substr(subject, 17, 16))
  AND root IS NULL;

-- The record has another customer than it had.

-- :name late_unroot
UPDATE late SET root = NULL WHERE rec = ?1;

-- :name conflict_log_unroot
UPDATE conflict_log SET root = NULL WHERE rec = ?1;

-- :name news_unroot
UPDATE news SET root = NULL WHERE rec = ?1;

-- :name audit_unroot
UPDATE audit SET root = NULL
WHERE ?1 IN (substr(subject, 1, 16), substr(subject, 17, 16));

-- :name ledger_put
INSERT INTO ledger(rev, subject, lsn, at_ms, by, second, reason, sig)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT(subject) DO UPDATE SET rev = excluded.rev, lsn = excluded.lsn;

-- :name ledger_at
-- Where the last of them stands in the log.
SELECT max(lsn) FROM ledger;

-- :name ledger_has
SELECT 1 FROM ledger WHERE subject = ?1;

-- :name ledger_all
SELECT rev, subject, lsn, at_ms, by, second, reason, sig FROM ledger
ORDER BY rev;

-- :name audit_redact
-- A row may be about two records: their ids, one behind the other.
UPDATE audit SET detail = '', salt = NULL
WHERE ?1 IN (substr(subject, 1, 16), substr(subject, 17, 16),
  substr(root, 1, 16), substr(root, 17, 16));
