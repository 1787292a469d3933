-- The store: the log of events, the bytes kept of imported files, and the store's identity.
-- Everything is append-only. The triggers hold against any client, ours or not; what they cannot
-- hold against (a dropped trigger, an edited file) is what `rebuild --check` and proofs are for.

CREATE TABLE store (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stored_events (
    position           INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id      TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic              TEXT NOT NULL,
    state              BLOB NOT NULL,
    UNIQUE (originator_id, originator_version)
) STRICT;

CREATE TABLE sources (
    sha256 TEXT PRIMARY KEY,
    size   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- zlib, one chunk a row: a file of any size is written and read in constant memory.
CREATE TABLE source_chunks (
    sha256 TEXT NOT NULL,
    number INTEGER NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (sha256, number)
) STRICT, WITHOUT ROWID;

-- INSERT OR REPLACE slips past delete triggers: hence the first two checks. A version gap would make
-- a stream unreadable for ever: hence the third. Unless it is given, NEW.position is -1 before the
-- insert: hence AFTER.
CREATE TRIGGER events_version_contiguous BEFORE INSERT ON stored_events
BEGIN
    SELECT RAISE(ABORT, 'version: an event of that stream and version is recorded already')
    WHERE EXISTS (SELECT 1 FROM stored_events
                  WHERE originator_id = NEW.originator_id
                    AND originator_version = NEW.originator_version);
    SELECT RAISE(ABORT, 'position: an event is recorded there already')
    WHERE EXISTS (SELECT 1 FROM stored_events WHERE position = NEW.position);
    SELECT RAISE(ABORT, 'version: a stream has no gaps')
    WHERE NEW.originator_version <> 1 + coalesce(
        (SELECT max(originator_version) FROM stored_events
         WHERE originator_id = NEW.originator_id), 0);
END;

CREATE TRIGGER events_position_contiguous AFTER INSERT ON stored_events
BEGIN
    SELECT RAISE(ABORT, 'position: the log has no gaps')
    WHERE NEW.position <> 1 + coalesce(
        (SELECT max(position) FROM stored_events WHERE position <> NEW.position), 0);
END;

CREATE TRIGGER events_never_change BEFORE UPDATE ON stored_events
BEGIN SELECT RAISE(ABORT, 'append-only: an event is never changed'); END;
CREATE TRIGGER events_never_go BEFORE DELETE ON stored_events
BEGIN SELECT RAISE(ABORT, 'append-only: an event is never deleted'); END;

CREATE TRIGGER store_never_changes BEFORE UPDATE ON store
BEGIN SELECT RAISE(ABORT, 'append-only: a store keeps its identity'); END;
CREATE TRIGGER store_never_goes BEFORE DELETE ON store
BEGIN SELECT RAISE(ABORT, 'append-only: a store keeps its identity'); END;
CREATE TRIGGER store_never_replaced BEFORE INSERT ON store
BEGIN
    SELECT RAISE(ABORT, 'append-only: a store keeps its identity')
    WHERE EXISTS (SELECT 1 FROM store WHERE name = NEW.name);
END;

CREATE TRIGGER sources_never_change BEFORE UPDATE ON sources
BEGIN SELECT RAISE(ABORT, 'append-only: an original is never changed'); END;
CREATE TRIGGER sources_never_go BEFORE DELETE ON sources
BEGIN SELECT RAISE(ABORT, 'append-only: an original is never deleted'); END;
CREATE TRIGGER sources_never_replaced BEFORE INSERT ON sources
BEGIN
    SELECT RAISE(ABORT, 'append-only: an original is never replaced')
    WHERE EXISTS (SELECT 1 FROM sources WHERE sha256 = NEW.sha256);
END;
CREATE TRIGGER chunks_never_change BEFORE UPDATE ON source_chunks
BEGIN SELECT RAISE(ABORT, 'append-only: an original is never changed'); END;
CREATE TRIGGER chunks_never_go BEFORE DELETE ON source_chunks
BEGIN SELECT RAISE(ABORT, 'append-only: an original is never deleted'); END;
CREATE TRIGGER chunks_never_replaced BEFORE INSERT ON source_chunks
BEGIN
    SELECT RAISE(ABORT, 'append-only: an original is never replaced')
    WHERE EXISTS (SELECT 1 FROM source_chunks
                  WHERE sha256 = NEW.sha256 AND number = NEW.number);
END;
