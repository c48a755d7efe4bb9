-- Numbers leased in advance. Each by key range.

-- :name number_put
INSERT INTO number_lease(series, first, last, next, inc)
VALUES(@series, @first, @last, @first, @inc)
ON CONFLICT(series, first) DO NOTHING;

-- :name number_next
SELECT max(next, @after + 1) FROM number_lease
WHERE series = @series AND inc = @inc AND last >= max(next, @after + 1)
ORDER BY first LIMIT 1;

-- :name number_used
UPDATE number_lease SET next = min(last, @upto) + 1
WHERE series = @series AND inc = @inc AND next <= min(last, @upto);

-- :name number_stock
-- How many are left, and the last one known.
SELECT coalesce(sum(last - next + 1), 0), coalesce(max(last), 0)
FROM number_lease WHERE series = @series AND inc = @inc;

-- :name number_list
-- Every series with numbers left.
SELECT series, sum(last - next + 1) FROM number_lease
WHERE inc = @inc AND next <= last GROUP BY series ORDER BY series;

-- :name number_drop
-- What another incarnation was given is void.
DELETE FROM number_lease WHERE inc <> @inc;
