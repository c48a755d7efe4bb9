-- What became of work that was handed over (P-323).

-- :name answer_put
INSERT OR REPLACE INTO answered(dev, lsn, rec, kind, hlc, accepted, by, at_ms)
VALUES(@dev, @lsn, @rec, @kind, @hlc, @accepted, @by, @at_ms);

-- :name answers_after
SELECT lsn, rec, kind, hlc, accepted, by, at_ms FROM answered
WHERE dev = @dev AND lsn > @after ORDER BY lsn, rec, hlc;

-- :name drop_answered
DELETE FROM answered;
