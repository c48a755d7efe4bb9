-- What every connection runs. The order of the open_* statements is part of
-- the design: nothing may touch a disk before temp_store is in memory.

-- :name begin
-- Takes the write lock now, so that a later write cannot fail on it.
BEGIN IMMEDIATE;

-- :name commit
COMMIT;

-- :name rollback
-- Prepared at open: compiled under memory exhaustion it can fail and would
-- leave the transaction open.
ROLLBACK;

-- :name open_temp_store
-- Sorters, savepoints and temporary tables never become plaintext files.
PRAGMA temp_store = MEMORY;

-- :name open_pages
-- 0 in a file that is being made.
PRAGMA page_count;

-- :name open_shrinks
-- Only before the first page is written. FULL would move pages at every
-- commit; this way they are moved when somebody asks for it (shrink).
PRAGMA auto_vacuum = INCREMENTAL;

-- :name shrink_free
PRAGMA freelist_count;

-- :name shrink_step
-- A bounded piece of work: pages per transaction.
PRAGMA incremental_vacuum(1024);

-- :name compact
VACUUM;

-- :name open_journal
-- Gives one row that must read "wal".
PRAGMA journal_mode = WAL;

-- :name open_sync
-- NORMAL loses acknowledged commits at a power cut (measured).
PRAGMA synchronous = FULL;

-- :name open_sync_bug
-- The planted bug of `make sim-mutants`; unreachable without SAT_BUGS.
PRAGMA synchronous = NORMAL;

-- :name open_autocheckpoint
PRAGMA wal_autocheckpoint = 4000;

-- :name open_cell_check
PRAGMA cell_size_check = ON;

-- :name open_schema_trust
PRAGMA trusted_schema = OFF;

-- :name open_foreign_keys
-- Synced tables arrive in the order of the log, not of their references.
PRAGMA foreign_keys = OFF;

-- :name user_version
PRAGMA user_version;

-- :name check_full
-- One row "ok", or up to one finding.
PRAGMA integrity_check(1);

-- :name check_quick
PRAGMA quick_check(1);

-- :name copy_into
-- @path  text  the file to make; it must not exist
VACUUM INTO @path;

-- :name copy_journal_memory
-- The first switch of a rollback-mode file to WAL would write a page into a
-- journal file, which the encrypting VFS refuses; in memory it may.
PRAGMA journal_mode = MEMORY;
