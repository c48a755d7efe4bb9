-- Counters, chains, the log and its verdicts. One row each by primary key
-- unless said otherwise.

-- :name counter_get
SELECT v FROM counter WHERE c = @c;

-- :name counter_put
INSERT INTO counter(c, v) VALUES(@c, @v)
ON CONFLICT(c) DO UPDATE SET v = excluded.v;

-- :name chain_get
SELECT last_cseq, head, prev_eff, lsn FROM chain WHERE dev = @dev AND inc = @inc;

-- :name chain_put
INSERT INTO chain(dev, inc, last_cseq, head, prev_eff, lsn)
VALUES(@dev, @inc, @last_cseq, @head, @prev_eff, @lsn)
ON CONFLICT(dev, inc) DO UPDATE SET last_cseq = excluded.last_cseq,
  head = excluded.head, prev_eff = excluded.prev_eff, lsn = excluded.lsn;

-- :name chains
-- All of them, for verification.
SELECT dev, inc, last_cseq, head, prev_eff, lsn FROM chain ORDER BY dev, inc;

-- :name batch_sig_put
INSERT INTO batch_sig(dev, inc, last, first, sig)
VALUES(@dev, @inc, @last, @first, @sig);

-- :name batch_sigs
-- Of one chain, ascending, for verification.
SELECT first, last, sig FROM batch_sig WHERE dev = @dev AND inc = @inc
ORDER BY last;

-- :name log_put
INSERT INTO log(lsn, dev, inc, cseq, eff, received, header, payload)
VALUES(@lsn, @dev, @inc, @cseq, @eff, @received, @header, @payload);

-- :name log_put_8
-- The same for eight, by position.
INSERT INTO log(lsn, dev, inc, cseq, eff, received, header, payload)
VALUES(?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?),
  (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?),
  (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?),
  (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?);

-- :name log_get
-- Of what was erased, what is left.
SELECT eff, received, header, payload,
  (SELECT list FROM echo WHERE lsn = @lsn), CASE WHEN payload IS NULL THEN
  (SELECT ops FROM rest WHERE lsn = @lsn) END FROM log WHERE lsn = @lsn;

-- :name log_ahead
-- The same from a position on, for a page that is read row after row.
SELECT lsn, eff, received, header, payload,
  (SELECT list FROM echo WHERE echo.lsn = log.lsn), CASE WHEN payload IS NULL
  THEN (SELECT ops FROM rest WHERE rest.lsn = log.lsn) END
FROM log WHERE lsn >= @lsn ORDER BY lsn;

-- :name aside_get
-- Of a commit whose row is in a segment: what stays here.
SELECT 0, list FROM echo WHERE lsn = @lsn
UNION ALL
SELECT 1, ops FROM rest WHERE lsn = @lsn;

-- :name echo_put
INSERT INTO echo(lsn, list) VALUES(@lsn, @list);

-- :name log_find
-- Index (dev, inc, cseq), then the row.
SELECT lsn, eff FROM log WHERE dev = @dev AND inc = @inc AND cseq = @cseq;

-- :name log_bytes
SELECT header, payload FROM log
WHERE dev = @dev AND inc = @inc AND cseq = @cseq;

-- :name log_head
-- Of everything: commits, and states that were given back (their key is ALL).
SELECT max(coalesce((SELECT max(lsn) FROM log), 0), coalesce((SELECT max(lsn)
  FROM log_scope WHERE key = 1099511627776), 0));

-- :name log_after
-- For a device that holds everything. Plan: a merge of two ranges, no sort.
SELECT lsn, 0, lsn FROM log WHERE lsn > @after
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = 1099511627776 AND lsn > @after
ORDER BY 1, 2;

-- :name refused_put
INSERT INTO refused(dev, inc, cseq, code, op, slug, hint, at_ms, header,
  payload, lsn, eff)
VALUES(@dev, @inc, @cseq, @code, @op, @slug, @hint, @at_ms, @header,
  @payload, @lsn, @eff);

-- :name refused_get
SELECT code, op, slug, hint, lsn, eff FROM refused
WHERE dev = @dev AND inc = @inc AND cseq = @cseq;

-- :name refused_bytes
SELECT header, payload FROM refused
WHERE dev = @dev AND inc = @inc AND cseq = @cseq;

-- :name verdict_put
INSERT INTO verdict(lsn, code) VALUES(@lsn, @code);

-- :name verdict_get
SELECT code FROM verdict WHERE lsn = @lsn;

-- :name moved_put
INSERT INTO moved(dev, hash, lsn) VALUES(@dev, @hash, @lsn);

-- :name moved_get
SELECT lsn FROM moved WHERE dev = @dev AND hash = @hash;
