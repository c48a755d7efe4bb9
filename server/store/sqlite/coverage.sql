-- How far devices have reported. One row per device.

-- :name reported_put
INSERT INTO reported(dev, at_ms, rev) VALUES(@dev, @at_ms, @rev)
ON CONFLICT(dev) DO UPDATE SET at_ms = excluded.at_ms, rev = excluded.rev;

-- :name reported_all
SELECT dev, at_ms, rev FROM reported ORDER BY dev;
