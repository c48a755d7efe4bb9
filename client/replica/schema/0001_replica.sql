-- The device's store, version 1. The tables of the kinds (k_<kind>) are made
-- from the template by kindsql.c; this file holds what does not depend on it.

-- Small values of the session and of the device, one row each. They share a
-- page, so that a pull writes one page for all of them.
CREATE TABLE meta(
  key   TEXT PRIMARY KEY,
  value             -- integer, or blob for 'identity' and 'template'
) WITHOUT ROWID;

-- Large single documents: the registry.
CREATE TABLE doc(
  key   TEXT PRIMARY KEY,
  body  BLOB NOT NULL
);

-- Own commits, exactly as they were signed into the chain. Rows are never
-- updated (only a refused newest one loses its payload): what the server
-- answered stands in `answer`, so that a verdict does not rewrite these pages.
-- The newest row is always kept: it carries the chain's head and the clock.
CREATE TABLE outbox(
  seq      INTEGER PRIMARY KEY,  -- incarnation << 31 | cseq
  wall_ms  INTEGER NOT NULL,     -- believed wall clock when it was written
  header   BLOB NOT NULL,        -- canonical bytes
  payload  BLOB,                 -- canonical bytes; NULL: moved to quarantine
  sealed   BLOB                  -- a kiosk's: instead of the payload (P-360)
);

-- Seeds of the salts of commits that wait (P-068), gone with their verdicts.
-- Without one the salt itself is sent.
CREATE TABLE salt_seed(
  seq   INTEGER PRIMARY KEY,  -- of the first commit salted from it
  seed  BLOB NOT NULL         -- 16 random bytes
);

-- What the server said about an outbox row. No row: nothing yet.
CREATE TABLE answer(
  seq    INTEGER PRIMARY KEY,
  state  INTEGER NOT NULL,  -- 1 accepted, the cursor has not reached it;
                            -- 2 done: folded into the server state; 3 refused
  lsn    INTEGER NOT NULL,  -- 0 when refused
  eff    INTEGER NOT NULL   -- clamped stamp
);

-- Commits that a server accepted which is lost: where they stood there. Until
-- they are answered again and the snapshot over the old states is complete.
CREATE TABLE recovered(
  seq  INTEGER NOT NULL,  -- as in outbox
  old  INTEGER NOT NULL,  -- LSN; several servers may have been lost
  PRIMARY KEY(seq, old)
) WITHOUT ROWID;

-- Parked commits that went on under another number after a server was lost
-- (P-391): a lost server may have had them under the old one.
CREATE TABLE former(
  seq  INTEGER NOT NULL,  -- as in outbox
  was  INTEGER NOT NULL,  -- the same, before
  PRIMARY KEY(seq, was)
) WITHOUT ROWID;

-- The newest commit of each other device this one has seen.
CREATE TABLE chain_seen(
  dev   INTEGER PRIMARY KEY,
  cseq  INTEGER NOT NULL,
  lsn   INTEGER NOT NULL
);

-- How far other devices have reported, as the server told (P-223).
CREATE TABLE coverage(
  dev    INTEGER PRIMARY KEY,
  at_ms  INTEGER NOT NULL      -- all it had then is here
);

-- Where commits of others stand in the server's order, as far as its backups
-- do not hold them yet (P-250): first..last of a chain at or below `upto`.
CREATE TABLE place(
  upto   INTEGER NOT NULL,  -- LSN; 0 = the cursor
  dev    INTEGER NOT NULL,
  inc    INTEGER NOT NULL,
  first  INTEGER NOT NULL,  -- cseq
  last   INTEGER NOT NULL,  -- cseq
  lsn    INTEGER NOT NULL   -- a backup that holds it makes the row needless
);
CREATE INDEX place_chain ON place(upto, dev, inc);

-- Signatures given for pushed batches; kept for `audit verify`.
CREATE TABLE batch_sig(
  first  INTEGER PRIMARY KEY,  -- seq of the first commit
  last   INTEGER NOT NULL,     -- seq of the last one
  sig    BLOB NOT NULL
);

-- Commits the server did not merge: nothing a user saved disappears. A row
-- stays when it is settled, so that anyone can read later what became of it; a
-- person's discard removes it.
CREATE TABLE quarantine(
  id       INTEGER PRIMARY KEY,
  seq      INTEGER NOT NULL UNIQUE,  -- as in outbox
  at_ms    INTEGER NOT NULL,         -- when the verdict came
  code     INTEGER NOT NULL,         -- 3 rejected, 4 parked, 5 handed over
  op       INTEGER NOT NULL,         -- the operation that decided
  slug     TEXT NOT NULL,
  hint     TEXT NOT NULL,
  header   BLOB NOT NULL,
  payload  BLOB,              -- NULL: sealed
  sealed   BLOB,              -- as in outbox
  fate     INTEGER NOT NULL,  -- 0 open, 1 sent again, 2 handed over
  fate_ms  INTEGER NOT NULL,  -- when; 0 while open
  heir     INTEGER NOT NULL   -- seq of the commit that took its place; 0 none
);

-- Sums over the server's states of the rows, by kind and range of 256 numbers
-- (protocol/digest.h). (0, 0) is the sum of all.
CREATE TABLE digest(
  kind    INTEGER NOT NULL,
  bucket  INTEGER NOT NULL,
  sum     BLOB NOT NULL,
  PRIMARY KEY(kind, bucket)
) WITHOUT ROWID;

-- Normal forms of duplicate keys, as 64-bit hashes over kind, field and form.
CREATE TABLE match(
  key  INTEGER NOT NULL,
  rid  INTEGER NOT NULL,
  PRIMARY KEY(key, rid)
) WITHOUT ROWID;

-- Values that others displaced, in the order the server's log did it: chunks
-- of entries (history.c), the last one of a record is added to.
CREATE TABLE history(
  rid   INTEGER NOT NULL,
  n     INTEGER NOT NULL,  -- chunk, ascending
  data  BLOB NOT NULL,
  PRIMARY KEY(rid, n)
) WITHOUT ROWID;

-- Open conflicts, derived from the rows. field 0: deleted while edited.
CREATE TABLE conflict(
  rid         INTEGER NOT NULL,
  field       INTEGER NOT NULL,
  kind        INTEGER NOT NULL,  -- the template's number
  opened_lsn  INTEGER NOT NULL,
  PRIMARY KEY(rid, field)
) WITHOUT ROWID;

-- Records merged into others: the REDIRECT of the rows, derived from them. What
-- is shown and what the server says differ while own work on it waits.
CREATE TABLE alias(
  loser   BLOB PRIMARY KEY,  -- id
  winner  BLOB,              -- id as shown; may itself be merged
  given   BLOB               -- id in the server's state
) WITHOUT ROWID;
CREATE INDEX alias_winner ON alias(winner);
CREATE INDEX alias_given ON alias(given);

-- `root`, in the lists below: the customer the record belonged to when the entry
-- was written, the record's own id without one; NULL = not known, for the record
-- was not here or has another customer since (root.c). By it an erasure finds
-- what was his of records that are not here any more.

-- What happened to conflicts, as far as this device folded the log.
CREATE TABLE conflict_log(
  lsn    INTEGER NOT NULL,  -- of the commit that did it
  rec    BLOB NOT NULL,     -- id
  field  INTEGER NOT NULL,  -- 0: deleted while edited
  what   INTEGER NOT NULL,  -- 1 opened, 2 settled, 3 dismissed (read alike)
  kind   INTEGER NOT NULL,  -- the template's number
  dev    INTEGER NOT NULL,  -- whose operation
  at_ms  INTEGER NOT NULL,  -- its stamp
  root   BLOB,              -- id of the customer
  PRIMARY KEY(lsn, rec, field, what)
) WITHOUT ROWID;

-- Records that carry suggestions (cell SAT_SYS_HANDED), derived from the rows.
CREATE TABLE handed(
  rid   INTEGER PRIMARY KEY,
  kind  INTEGER NOT NULL  -- the template's number
);

-- Edits of others, merged after this user got the customer, by people who did
-- not know that: a person should look at them once.
CREATE TABLE late(
  lsn    INTEGER PRIMARY KEY,
  rec    BLOB NOT NULL,     -- id of the first record it touched
  kind   INTEGER NOT NULL,
  dev    INTEGER NOT NULL,  -- who
  at_ms  INTEGER NOT NULL,  -- when he wrote it
  nops   INTEGER NOT NULL,
  root   BLOB               -- id of the customer
);

-- What became of own work besides its verdict, until a person has read it.
CREATE TABLE news(
  lsn    INTEGER NOT NULL,  -- of the commit that did it
  what   INTEGER NOT NULL,  -- 1 renumbered, 2 suggestion accepted, 3 declined
  rec    BLOB NOT NULL,     -- id
  hlc    INTEGER NOT NULL,  -- stamp of the own commit it is about
  kind   INTEGER NOT NULL,  -- the template's number
  by     INTEGER NOT NULL,  -- user ordinal; 0 = the server
  at_ms  INTEGER NOT NULL,
  was    TEXT NOT NULL,     -- 1: the number that was replaced; else ''
  is_    TEXT NOT NULL,     -- 1: the number it has now; else ''
  root   BLOB,              -- 1: id of the customer; else NULL
  PRIMARY KEY(rec, hlc, what)
) WITHOUT ROWID;

-- Stubs of customers that left this device.
CREATE TABLE moved(
  root   BLOB PRIMARY KEY,  -- id
  title  TEXT NOT NULL,
  heir   TEXT NOT NULL,     -- the new owner's name
  lsn    INTEGER NOT NULL
) WITHOUT ROWID;

-- The local audit chain: hash = BLAKE2b-256(previous hash | this row), with the
-- salted hash of the detail in place of the detail, so that it can be erased.
CREATE TABLE audit(
  seq      INTEGER PRIMARY KEY,
  at_ms    INTEGER NOT NULL,
  action   TEXT NOT NULL,
  detail   TEXT NOT NULL,
  hash     BLOB NOT NULL,
  subject  BLOB,           -- id of the record it is about, or of two, one
                           -- behind the other; NULL = none
  salt     BLOB,           -- NULL: the detail was erased
  digest   BLOB NOT NULL,  -- BLAKE2b-256(salt | detail)
  root     BLOB            -- of each of them the customer; NULL: not of all
);

-- The organisation's erasure ledger, as far as it is carried out here; a
-- restored server gets it back.
CREATE TABLE ledger(
  subject  BLOB PRIMARY KEY,  -- id of the customer's record
  rev      INTEGER NOT NULL,
  lsn      INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  by       INTEGER NOT NULL,  -- user ordinals
  second   INTEGER NOT NULL,
  reason   TEXT NOT NULL,
  sig      BLOB NOT NULL      -- the server's
);

-- Contents of files that records name (common/model/attachment.h), whole.
CREATE TABLE file(
  id     INTEGER PRIMARY KEY,
  hash   BLOB NOT NULL UNIQUE,  -- BLAKE2b-256 of the content
  bytes  INTEGER NOT NULL
);
CREATE TABLE file_piece(
  file  INTEGER NOT NULL,  -- id
  at    INTEGER NOT NULL,  -- first byte of it
  data  BLOB NOT NULL,
  PRIMARY KEY(file, at)
);
-- Which record a content is here for. One that no row names goes.
CREATE TABLE file_of(
  id     INTEGER PRIMARY KEY,
  hash   BLOB NOT NULL,
  rec    BLOB NOT NULL,     -- id of the record
  kind   INTEGER NOT NULL,  -- the template's number
  root   BLOB NOT NULL,     -- id of the customer; the record's own without
  state  INTEGER NOT NULL,  -- 0 the server has not got it from us, 1 it has,
                            -- 2 and this device need not keep it for it
  since_ms INTEGER NOT NULL, -- 0: since when it is not wanted, 0 = it was not
                            -- refused; 1: since when the server has it
  lsn    INTEGER NOT NULL,  -- 1: backups that reach beyond hold it; 0 = not
                            -- known yet
  UNIQUE(rec, hash)
);
CREATE INDEX file_of_hash ON file_of(hash);
CREATE INDEX file_of_root ON file_of(root);

CREATE TABLE setting(
  key    TEXT PRIMARY KEY,
  value  BLOB NOT NULL
) WITHOUT ROWID;

-- Numbers this device may give without asking (P-141).
CREATE TABLE number_lease(
  series  TEXT NOT NULL,     -- prefix and month, "C202405"
  first   INTEGER NOT NULL,  -- first number of the range
  last    INTEGER NOT NULL,  -- last number of it
  next    INTEGER NOT NULL,  -- the next one to give; last + 1 = used up
  inc     INTEGER NOT NULL,  -- incarnation it was given to; no other may use it
  PRIMARY KEY(series, first)
) WITHOUT ROWID;

-- Git objects of the template's history.
CREATE TABLE tmpl_object(
  oid   BLOB PRIMARY KEY,
  type  INTEGER NOT NULL,
  data  BLOB NOT NULL
);

-- What is searched, of a kind: made when somebody first searches in it, kept
-- with the rows from then on (search.c).
CREATE TABLE search_part(
  part  INTEGER PRIMARY KEY,  -- kind << 1; + 1: texts that are no names
  plan  INTEGER NOT NULL      -- which fields, folded how; another: made again
);
CREATE TABLE search(
  block  INTEGER PRIMARY KEY,  -- part << 44 | lane << 42 | rid of its first row
  data   BLOB NOT NULL         -- rows up to the next block's
);
