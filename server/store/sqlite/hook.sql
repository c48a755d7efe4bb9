-- Services that are told what happened, and what they are still to be told.

-- :name hook_all
-- Plan: the table, a few rows; counts by index hook_event_due.
SELECT id, url, format, events, secret, plain, since, made_ms, fails, rest_ms,
  sent, sent_ms, error_ms, error,
  (SELECT count(*) FROM hook_event e WHERE e.hook = hook.id AND e.dead = 0),
  (SELECT count(*) FROM hook_event e WHERE e.hook = hook.id AND e.dead = 1)
FROM hook ORDER BY id;

-- :name hook_put
INSERT INTO hook(url, format, events, secret, plain, since, made_ms, fails,
  rest_ms, sent, sent_ms, error_ms, error)
VALUES(@url, @format, @events, @secret, @plain, @since, @made_ms, 0, 0, 0, 0, 0,
  '');

-- :name hook_del
DELETE FROM hook WHERE id = @id;

-- :name hook_events_del
-- Plan: index hook_event_due.
DELETE FROM hook_event WHERE hook = @hook;

-- :name hook_event_put
INSERT INTO hook_event(hook, subject, body, line, made_ms, tries, due_ms, dead,
  error)
VALUES(@hook, @subject, @body, @line, @made_ms, 0, @made_ms, 0, '');

-- :name hook_due
-- Plan: index hook_event_due, in its order.
SELECT seq, body, line, made_ms, tries FROM hook_event
WHERE hook = @hook AND dead = 0 AND due_ms <= @now_ms
ORDER BY due_ms, seq LIMIT @limit;

-- :name hook_dead
-- Plan: index hook_event_due.
SELECT seq, body, line, made_ms, tries, error FROM hook_event
WHERE hook = @hook AND dead = 1 ORDER BY due_ms, seq LIMIT @limit;

-- :name hook_event_del
DELETE FROM hook_event WHERE seq = @seq;

-- :name hook_event_refused
UPDATE hook_event SET tries = tries + 1, due_ms = @due_ms, dead = @dead,
  error = @error WHERE seq = @seq;

-- :name hook_expire
-- Plan: index hook_event_due.
UPDATE hook_event SET dead = 1, error = @error
WHERE hook = @hook AND dead = 0 AND made_ms < @before_ms;

-- :name hook_sent
UPDATE hook SET sent = sent + @n, sent_ms = @now_ms, rest_ms = @rest_ms,
  fails = 0, error_ms = 0, error = '' WHERE id = @id;

-- :name hook_down
UPDATE hook SET fails = fails + 1, rest_ms = @rest_ms, error_ms = @now_ms,
  error = @error WHERE id = @id;

-- :name hook_error
UPDATE hook SET error_ms = @now_ms, error = @error WHERE id = @id;

-- :name hook_again
-- Plan: index hook_event_due.
UPDATE hook_event SET tries = 0, due_ms = @now_ms, dead = 0 WHERE hook = @hook;

-- :name hook_wake
-- The pause between two messages of a robot stays.
UPDATE hook SET fails = 0, rest_ms = 0 WHERE id = @id AND fails > 0;

-- :name hook_old
-- The oldest beyond what a hook may have waiting are given up.
-- Plan: index hook_event_due.
UPDATE hook_event SET dead = 1, error = 'too many waited'
WHERE seq IN (SELECT seq FROM hook_event WHERE hook = @hook AND dead = 0
  ORDER BY due_ms DESC, seq DESC LIMIT -1 OFFSET @keep);

-- :name hook_buried
-- What was given up is kept so long, and not more than so many.
-- Plan: index hook_event_due.
DELETE FROM hook_event WHERE seq IN (SELECT seq FROM hook_event
  WHERE hook = @hook AND dead = 1 ORDER BY due_ms DESC, seq DESC
  LIMIT -1 OFFSET @keep)
  OR (hook = @hook AND dead = 1 AND made_ms < @before_ms);

-- :name hook_erase
-- Plan: index hook_event_subject.
DELETE FROM hook_event WHERE subject = @subject;

-- :name drop_hook_event
DELETE FROM hook_event;
