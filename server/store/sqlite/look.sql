-- What an operator asks the store.

-- :name refusals
-- Refused commits that are nowhere else, by reason. Plan: the index of reasons.
SELECT slug, count(*) FROM refused WHERE lsn = 0 GROUP BY slug;

-- :name verdict_counts
-- How many logged commits came late or opened a conflict.
SELECT coalesce(sum(code = 1), 0), coalesce(sum(code = 2), 0) FROM verdict;

-- :name log_before
-- The newest position taken before a time; the walk goes from the head, for
-- what is asked for is nearly always recent.
SELECT lsn + n - 1 FROM log WHERE received < @at_ms ORDER BY lsn DESC LIMIT 1;
