-- Numbers: series, leases, and which are in use. One row each by primary key
-- unless said otherwise.

-- :name series_get
-- The largest counts: what a lost server may have given, too (P-450). Plan: a
-- row and a key range.
SELECT last FROM series WHERE series = @series
UNION ALL
SELECT last FROM series_floor WHERE month >= substr(@series, -6);

-- :name series_skip
-- A new epoch: each series goes on so much further up.
UPDATE series SET last = min(last + @skip, @max);

-- :name floor_skip
UPDATE series_floor SET last = min(last + @skip, @max);

-- :name floor_put
-- Of a month that had one, it was raised with the others.
INSERT INTO series_floor(month, last) VALUES(@month, @last)
ON CONFLICT(month) DO NOTHING;

-- :name series_put
INSERT INTO series(series, last) VALUES(@series, @last)
ON CONFLICT(series) DO UPDATE SET last = excluded.last;

-- :name lease_put
INSERT INTO lease(series, first, last, dev, inc, granted_ms, voided)
VALUES(@series, @first, @last, @dev, @inc, @granted_ms, @voided)
ON CONFLICT(series, first) DO UPDATE SET last = excluded.last,
  dev = excluded.dev, inc = excluded.inc, granted_ms = excluded.granted_ms,
  voided = excluded.voided;

-- :name leases_of
-- Of one device, in all its incarnations. Plan: key range of the series.
SELECT series, first, last, dev, inc, granted_ms, voided FROM lease
WHERE series = @series AND dev = @dev ORDER BY first;

-- :name lease_of
-- Ranges do not overlap, so the last one that begins at or below n decides.
SELECT series, first, last, dev, inc, granted_ms, voided FROM lease
WHERE series = @series AND first <= @n ORDER BY first DESC LIMIT 1;

-- :name lease_all
-- For an administrator: every lease, with what was used of it.
SELECT l.series, l.first, l.last, l.dev, l.inc, l.granted_ms, l.voided,
  (SELECT count(*) FROM number n WHERE n.series = l.series
   AND n.n BETWEEN l.first AND l.last)
FROM lease l ORDER BY l.series, l.first;

-- :name lease_over
-- Is there a later incarnation of the device?
SELECT count(*) FROM chain WHERE dev = @dev AND inc > @inc;

-- :name number_put
INSERT INTO number(text, series, n, rec) VALUES(@text, @series, @n, @rec)
ON CONFLICT(text) DO UPDATE SET rec = excluded.rec;

-- :name number_get
SELECT rec FROM number WHERE text = @text;

-- :name numbers_used
-- Plan: index number_series.
SELECT count(*) FROM number
WHERE series = @series AND n BETWEEN @first AND @last;

-- :name lease_void
-- @series  '' = every series
UPDATE lease SET voided = 1
WHERE dev = @dev AND (@series = '' OR series = @series) AND voided = 0;

-- :name lease_inc
-- The incarnation a device is in; 1 before its first commit.
SELECT coalesce(max(inc), 1) FROM chain WHERE dev = @dev;
