-- The search index: blocks of rows, see search.c.

-- :name search_plans
SELECT part, plan FROM search_part;

-- :name search_plan_put
INSERT OR REPLACE INTO search_part(part, plan) VALUES(?1, ?2);

-- :name search_plan_del
DELETE FROM search_part WHERE part = ?1;

-- :name search_get
-- @1  the lane's first
-- @2  the number's own
SELECT block, data FROM search WHERE block BETWEEN ?1 AND ?2
ORDER BY block DESC LIMIT 1;

-- :name search_put
INSERT OR REPLACE INTO search(block, data) VALUES(?1, ?2);

-- :name search_del
DELETE FROM search WHERE block = ?1;

-- :name search_range
SELECT block, data FROM search WHERE block BETWEEN ?1 AND ?2 ORDER BY block;

-- Lanes are read side by side, each by a statement of its own.
-- :name search_wide
SELECT block, data FROM search WHERE block BETWEEN ?1 AND ?2 ORDER BY block;

-- :name search_mixed
SELECT block, data FROM search WHERE block BETWEEN ?1 AND ?2 ORDER BY block;

-- :name search_phone
SELECT block, data FROM search WHERE block BETWEEN ?1 AND ?2 ORDER BY block;

-- :name search_clear
DELETE FROM search WHERE block BETWEEN ?1 AND ?2;
