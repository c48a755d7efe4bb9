-- How far other devices have reported. One row per device.

-- :name coverage_put
INSERT INTO coverage(dev, at_ms) VALUES(@dev, @at_ms)
ON CONFLICT(dev) DO UPDATE SET at_ms = max(at_ms, excluded.at_ms);

-- :name coverage_all
SELECT dev, at_ms FROM coverage ORDER BY dev;
