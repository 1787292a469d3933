-- What every event does to the ledger, on one page. A map over the log: each event is folded by
-- itself, without state and without looking anything up, so any partition of the log, in any order,
-- on one machine or many, gives the same rows.
--
-- In:  line(position, originator_id, originator_version, topic, text, state): the log, each state as
--      stored and parsed once.
-- Out: the tables below. An event is never skipped: `kinds` and `malformed` find what the fold does
--      not know or cannot trust before anything is inserted, and the constraints refuse the rest.

-- @state: the union of all keys of all events; one key has one meaning and one type. Inside a value
-- the keys stand in order, as they are stored.
{
    "class_version": "INTEGER", "transaction_id": "BIGINT",
    "recorded_at": "TIMESTAMP", "recorded_by": "VARCHAR",
    "area": "VARCHAR", "reference": "VARCHAR", "part": "VARCHAR", "kind": "VARCHAR",
    "effective_on": "DATE", "decided_on": "DATE", "document": "VARCHAR", "reason": "VARCHAR",
    "note": "VARCHAR", "because": "VARCHAR", "programmes": ["VARCHAR"], "proposed": "BIGINT",
    "rejected": "MAP(VARCHAR, BIGINT)", "settles": "BIGINT",
    "source": {"import_id": "VARCHAR", "sheet": "VARCHAR"},
    "row": "BIGINT", "lines": @LINES, "puts": @LINES,
    "takes_back": {"effective_on": "DATE", "kind": "VARCHAR", "lines": @LINES, "reason": "VARCHAR"},
    "takes_back_position": "BIGINT",
    "valid_from": "DATE", "workers": "BIGINT", "definition": "VARCHAR", "citation": "VARCHAR",
    "documented_on": "DATE", "due_on": "DATE", "percent": "VARCHAR", "basis": "VARCHAR",
    "as_of": "VARCHAR", "category": "VARCHAR", "segment": "VARCHAR", "active": "BIGINT",
    "potential": "BIGINT", "uncovered_percent": "VARCHAR", "target_percent": "VARCHAR",
    "gap": "VARCHAR", "tolerance": "BIGINT", "publisher": "VARCHAR", "published_on": "DATE",
    "quote": "VARCHAR", "file_name": "VARCHAR", "sha256": "VARCHAR", "size": "BIGINT",
    "kept_sha256": "VARCHAR", "import_kind": "VARCHAR", "sheet": "VARCHAR",
    "options": "MAP(VARCHAR, VARCHAR)", "rows": "BIGINT", "control_workers": "BIGINT",
    "label_id": "VARCHAR", "label_en": "VARCHAR", "aliases": ["VARCHAR"],
    "closed_through": "DATE", "reopened_from": "DATE", "known_position": "BIGINT",
    "active_by_category": "MAP(VARCHAR, BIGINT)", "closing_position": "BIGINT",
    "seconded_by": "VARCHAR",
    "changes": [{"category": "VARCHAR", "first_on": "DATE", "highest": "BIGINT",
                 "last_on": "DATE", "lowest": "BIGINT"}],
    "change": "VARCHAR", "before": "VARCHAR", "after": "VARCHAR", "split_from": "VARCHAR"
}

-- @lines: how many heads of which cohort, and the row they came from.
[{
    "cohort": {"area": "VARCHAR", "category": "VARCHAR", "expires_on": "DATE", "funding": "VARCHAR",
               "part": "VARCHAR", "reference": "VARCHAR", "segment": "VARCHAR"},
    "of": {"funding": "VARCHAR", "part": "VARCHAR", "reference": "VARCHAR"},
    "row": "BIGINT", "workers": "BIGINT"
}]

-- @forms: the keys of every event (*) and those of each topic, besides. What was read, written again
-- with these keys, is byte for byte what is stored: no key is missed, misspelt or of another type.
*: class_version recorded_at recorded_by transaction_id
opening-stated batch-enrolled batch-renewed batch-deactivated batch-reclassified:
    area decided_on document effective_on kind lines note part programmes proposed reason reference
    rejected source
balance-reconciled:
    area decided_on document effective_on kind lines note part programmes proposed reason reference
    rejected settles source
batch-corrected:
    area because decided_on document effective_on kind note part programmes proposed puts reason
    reference rejected source takes_back
batch-withdrawn:
    area because decided_on document kind part reference row source takes_back
labour-potential-revised:
    area citation definition documented_on row source valid_from workers
target-set:
    area basis citation documented_on due_on percent row source
figure-published:
    active area as_of category citation gap percent potential published_on publisher quote row segment
    source target_percent tolerance uncovered_percent
area-changed:
    after area before change citation document effective_on note row source split_from
labour-potential-withdrawn target-withdrawn figure-retracted area-change-withdrawn:
    area because takes_back_position
period-closed:
    active active_by_category area closed_through known_position potential
period-reopened:
    area because closed_through reopened_from
closing-overridden:
    area because changes closed_through closing_position seconded_by
file-imported:
    control_workers file_name import_kind kept_sha256 options rows sha256 sheet size
category-added:
    aliases category label_en label_id

-- @tables
CREATE TABLE entries (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    documented_on DATE CHECK (isfinite(documented_on)),
    area VARCHAR NOT NULL CHECK (length(area) = 5), category VARCHAR NOT NULL,
    segment VARCHAR, funding VARCHAR,
    kind VARCHAR NOT NULL CHECK (kind IN ('opening', 'enrolment', 'renewal', 'deactivation',
        'reclassification', 'transfer', 'reconciling', 'lapse')),
    act VARCHAR NOT NULL CHECK (act IN ('original', 'takes-back', 'puts')),
    effective_on DATE NOT NULL CHECK (isfinite(effective_on)),
    workers BIGINT NOT NULL CHECK (workers <> 0),
    reference VARCHAR NOT NULL, part VARCHAR NOT NULL,
    cohort_reference VARCHAR, cohort_part VARCHAR NOT NULL,
    expires_on DATE CHECK (expires_on IS NULL OR effective_on < expires_on
        OR (kind = 'lapse' AND effective_on = expires_on)),
    reason VARCHAR, import_id VARCHAR, sheet VARCHAR, "row" BIGINT,
    of_reference VARCHAR, of_part VARCHAR, of_funding VARCHAR,
    -- Only those who have no end can be of the pool, and nobody is brought in by it.
    CHECK (cohort_reference IS NOT NULL
        OR (expires_on IS NULL AND kind NOT IN ('opening', 'enrolment', 'renewal'))),
    CHECK (kind NOT IN ('opening', 'enrolment', 'renewal')
        OR (workers > 0) = (act <> 'takes-back')),
    CHECK (kind <> 'deactivation' OR (workers < 0) = (act <> 'takes-back'))
);
CREATE TABLE events (
    position BIGINT NOT NULL, transaction_id BIGINT NOT NULL,
    recorded_at TIMESTAMP NOT NULL CHECK (isfinite(recorded_at)),
    recorded_by VARCHAR NOT NULL, event VARCHAR NOT NULL, originator_version BIGINT NOT NULL,
    area VARCHAR CHECK (area IS NOT NULL OR event IN ('file-imported', 'category-added')),
    reference VARCHAR, part VARCHAR, kind VARCHAR, effective_on DATE,
    workers BIGINT, decided_on DATE, document VARCHAR, reason VARCHAR, note VARCHAR,
    because VARCHAR, programmes VARCHAR[], proposed BIGINT, rejected MAP(VARCHAR, BIGINT),
    takes_back_position BIGINT, import_id VARCHAR, sheet VARCHAR, "row" BIGINT
);
CREATE TABLE potentials (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    area VARCHAR NOT NULL, valid_from DATE NOT NULL CHECK (isfinite(valid_from)),
    workers BIGINT NOT NULL CHECK (workers > 0), definition VARCHAR NOT NULL,
    source VARCHAR NOT NULL, documented_on DATE CHECK (isfinite(documented_on)),
    import_id VARCHAR, sheet VARCHAR, "row" BIGINT
);
CREATE TABLE targets (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    area VARCHAR NOT NULL, due_on DATE NOT NULL CHECK (isfinite(due_on)),
    percent VARCHAR NOT NULL, basis VARCHAR NOT NULL, source VARCHAR NOT NULL,
    documented_on DATE CHECK (isfinite(documented_on)), import_id VARCHAR, sheet VARCHAR, "row" BIGINT
);
CREATE TABLE figures (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    area VARCHAR NOT NULL, as_of VARCHAR, category VARCHAR, segment VARCHAR, active BIGINT,
    potential BIGINT, percent VARCHAR, uncovered_percent VARCHAR, target_percent VARCHAR,
    gap VARCHAR, tolerance BIGINT NOT NULL, publisher VARCHAR NOT NULL,
    published_on DATE CHECK (isfinite(published_on)),
    source VARCHAR NOT NULL, quote VARCHAR, import_id VARCHAR, sheet VARCHAR, "row" BIGINT
);
-- What an area is called, and where it lies, from a day on; `area` itself never changes.
CREATE TABLE area_changes (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    area VARCHAR NOT NULL,
    change VARCHAR NOT NULL CHECK (change IN ('recoded', 'renamed', 'moved', 'opened')),
    effective_on DATE NOT NULL CHECK (isfinite(effective_on)),
    "before" VARCHAR CHECK (("before" IS NULL) = (change = 'opened')),
    "after" VARCHAR NOT NULL CHECK ("after" IS DISTINCT FROM "before"),
    split_from VARCHAR CHECK (split_from IS NULL OR change = 'opened'),
    document VARCHAR, source VARCHAR NOT NULL, note VARCHAR,
    import_id VARCHAR, sheet VARCHAR, "row" BIGINT
);
-- A potential, target, figure or change of an area counts until a later position takes it back.
CREATE TABLE taken_back (
    position BIGINT NOT NULL, takes_back_position BIGINT NOT NULL, because VARCHAR NOT NULL
);
-- What is closed of a regency is what its last row says; of a closing also what was known then.
CREATE TABLE closings (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    area VARCHAR NOT NULL CHECK (length(area) = 5),
    event VARCHAR NOT NULL CHECK (event IN ('period-closed', 'period-reopened')),
    closed_through DATE CHECK (isfinite(closed_through)),
    known_position BIGINT, active BIGINT, active_by_category MAP(VARCHAR, BIGINT),
    potential BIGINT, because VARCHAR,
    CHECK (event = 'period-reopened' OR (closed_through IS NOT NULL AND known_position IS NOT NULL))
);
-- What a transaction changed on closed days: heads of a category or, where that is null, the
-- potential; on the days from first to last that change by lowest to highest persons.
CREATE TABLE overrides (
    position BIGINT NOT NULL, transaction_id BIGINT NOT NULL,
    recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL, seconded_by VARCHAR NOT NULL,
    because VARCHAR NOT NULL, area VARCHAR NOT NULL CHECK (length(area) = 5),
    closed_through DATE NOT NULL CHECK (isfinite(closed_through)), closing_position BIGINT NOT NULL,
    category VARCHAR, first_on DATE NOT NULL CHECK (isfinite(first_on)),
    last_on DATE NOT NULL CHECK (isfinite(last_on)), lowest BIGINT NOT NULL, highest BIGINT NOT NULL,
    CHECK (first_on <= last_on AND last_on <= closed_through AND lowest <= highest)
);
CREATE TABLE imports (
    position BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, recorded_by VARCHAR NOT NULL,
    import_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,
    size BIGINT NOT NULL, kept_sha256 VARCHAR NOT NULL, import_kind VARCHAR NOT NULL,
    sheet VARCHAR NOT NULL,
    options MAP(VARCHAR, VARCHAR) NOT NULL, rows BIGINT NOT NULL, control_workers BIGINT NOT NULL
);
CREATE TABLE categories (
    position BIGINT NOT NULL, category VARCHAR NOT NULL, label_id VARCHAR NOT NULL,
    label_en VARCHAR NOT NULL, aliases VARCHAR[] NOT NULL
);

-- @kinds: which topics and forms are there, how many events of each, the first, and whether its form
-- is known
SELECT topic, state.class_version, count(*), min(position), state.class_version IS NOT DISTINCT FROM 1
FROM line GROUP BY ALL ORDER BY min(position);

-- @malformed: never guess at an event; the first that is not as it was written, or moves nobody
SELECT position, topic FROM line
WHERE text IS DISTINCT FROM @WRITTEN_AGAIN
   OR (topic IN ('ucj.opening-stated', 'ucj.batch-enrolled', 'ucj.batch-renewed',
                 'ucj.batch-deactivated', 'ucj.batch-reclassified', 'ucj.balance-reconciled')
       AND coalesce(len(state.lines), 0) = 0)
   OR (topic = 'ucj.batch-corrected' AND coalesce(len(state.puts), 0) = 0)
   OR (topic IN ('ucj.batch-corrected', 'ucj.batch-withdrawn')
       AND coalesce(len(state.takes_back.lines), 0) = 0)
   OR (topic = 'ucj.closing-overridden' AND coalesce(len(state.changes), 0) = 0)
ORDER BY position LIMIT 1;

-- @legs: what each movement comes to, on its own day and, where its cohort ends, on that day
, leg AS (
    SELECT *, unnest(CASE WHEN line.cohort.expires_on IS NULL THEN [false] ELSE [false, true] END)
              AS lapses
    FROM movement
)
SELECT position, recorded_at, recorded_by, documented_on,
       line.cohort.area, line.cohort.category, line.cohort.segment, line.cohort.funding,
       CASE WHEN lapses THEN 'lapse' ELSE kind END, act,
       CASE WHEN lapses THEN line.cohort.expires_on ELSE effective_on END,
       CASE WHEN lapses THEN -sign ELSE sign END * line.workers,
       reference, part, line.cohort.reference, line.cohort.part, line.cohort.expires_on,
       CASE WHEN lapses THEN NULL ELSE reason END, source.import_id, source.sheet,
       CASE WHEN act = 'takes-back' THEN taken_by ELSE line."row" END,
       line."of".reference, line."of".part, line."of".funding
FROM leg

-- @fold
-- One rule: a line of ±n from day d in a cohort that ends on x gives ±n on d and, where there is
-- an x, ∓n on x with kind `lapse`. Nobody lapses twice: every movement carries its own end.
INSERT INTO entries
WITH movement AS (
    SELECT position, state.recorded_at AS recorded_at, state.recorded_by AS recorded_by,
           state.decided_on AS documented_on, state.reference AS reference, state.part AS part,
           state.source AS source, state.kind AS kind, 'original' AS act,
           state.effective_on AS effective_on, state.reason AS reason, 1 AS sign,
           CAST(NULL AS BIGINT) AS taken_by, unnest(state.lines) AS line
    FROM line
    WHERE topic IN ('ucj.opening-stated', 'ucj.batch-enrolled', 'ucj.batch-renewed',
                    'ucj.batch-deactivated', 'ucj.batch-reclassified', 'ucj.balance-reconciled')
)
@LEGS;

INSERT INTO entries
WITH movement AS (
    SELECT position, state.recorded_at AS recorded_at, state.recorded_by AS recorded_by,
           state.decided_on AS documented_on, state.reference AS reference, state.part AS part,
           state.source AS source, state.takes_back.kind AS kind, 'takes-back' AS act,
           state.takes_back.effective_on AS effective_on, state.takes_back.reason AS reason,
           -1 AS sign,
           coalesce(state."row", list_min(list_transform(state.puts, lambda each: each."row")))
               AS taken_by,
           unnest(state.takes_back.lines) AS line
    FROM line WHERE topic IN ('ucj.batch-corrected', 'ucj.batch-withdrawn')
    UNION ALL
    SELECT position, state.recorded_at, state.recorded_by, state.decided_on, state.reference,
           state.part, state.source, state.kind, 'puts', state.effective_on, state.reason, 1, NULL,
           unnest(state.puts)
    FROM line WHERE topic = 'ucj.batch-corrected'
)
@LEGS;

INSERT INTO events
SELECT position, state.transaction_id, state.recorded_at, state.recorded_by,
       substr(topic, 5), originator_version,
       state.area, state.reference, state.part, state.kind, state.effective_on,
       CASE WHEN state.reference IS NULL THEN NULL ELSE
           coalesce(list_sum(list_transform(state.lines, lambda each: each.workers)), 0)
           + coalesce(list_sum(list_transform(state.puts, lambda each: each.workers)), 0)
           - coalesce(list_sum(list_transform(state.takes_back.lines, lambda each: each.workers)), 0)
       END,
       state.decided_on, state.document, state.reason, state.note, state.because,
       state.programmes, state.proposed, state.rejected, state.takes_back_position,
       state.source.import_id, state.source.sheet,
       coalesce(state."row", list_min(list_transform(coalesce(state.lines, state.puts),
                                                     lambda each: each."row")))
FROM line;

INSERT INTO potentials
SELECT position, state.recorded_at, state.recorded_by, state.area, state.valid_from,
       state.workers, state.definition, state.citation, state.documented_on,
       state.source.import_id, state.source.sheet, state."row"
FROM line WHERE topic = 'ucj.labour-potential-revised';

INSERT INTO targets
SELECT position, state.recorded_at, state.recorded_by, state.area, state.due_on, state.percent,
       state.basis, state.citation, state.documented_on,
       state.source.import_id, state.source.sheet, state."row"
FROM line WHERE topic = 'ucj.target-set';

INSERT INTO figures
SELECT position, state.recorded_at, state.recorded_by, state.area, state.as_of, state.category,
       state.segment, state.active, state.potential, state.percent, state.uncovered_percent,
       state.target_percent, state.gap, state.tolerance, state.publisher, state.published_on,
       state.citation, state.quote, state.source.import_id, state.source.sheet, state."row"
FROM line WHERE topic = 'ucj.figure-published';

INSERT INTO area_changes
SELECT position, state.recorded_at, state.recorded_by, state.area, state.change,
       state.effective_on, state."before", state."after", state.split_from, state.document,
       state.citation, state.note, state.source.import_id, state.source.sheet, state."row"
FROM line WHERE topic = 'ucj.area-changed';

INSERT INTO taken_back
SELECT position, state.takes_back_position, state.because
FROM line WHERE topic IN ('ucj.labour-potential-withdrawn', 'ucj.target-withdrawn',
                          'ucj.figure-retracted', 'ucj.area-change-withdrawn');

INSERT INTO closings
SELECT position, state.recorded_at, state.recorded_by, state.area, substr(topic, 5),
       state.closed_through, state.known_position, state.active, state.active_by_category,
       state.potential, state.because
FROM line WHERE topic IN ('ucj.period-closed', 'ucj.period-reopened');

INSERT INTO overrides
SELECT position, transaction_id, recorded_at, recorded_by, seconded_by, because, area,
       closed_through, closing_position, change.category, change.first_on, change.last_on,
       change.lowest, change.highest
FROM (SELECT position, state.transaction_id AS transaction_id, state.recorded_at AS recorded_at,
             state.recorded_by AS recorded_by, state.seconded_by AS seconded_by,
             state.because AS because, state.area AS area,
             state.closed_through AS closed_through,
             state.closing_position AS closing_position, unnest(state.changes) AS change
      FROM line WHERE topic = 'ucj.closing-overridden');

INSERT INTO imports
SELECT position, state.recorded_at, state.recorded_by,
       CAST(CAST(originator_id AS UUID) AS VARCHAR), state.file_name,
       state.sha256, state.size, state.kept_sha256, state.import_kind, state.sheet, state.options,
       state.rows, state.control_workers
FROM line WHERE topic = 'ucj.file-imported';

INSERT INTO categories
SELECT position, state.category, state.label_id, state.label_en, state.aliases
FROM line WHERE topic = 'ucj.category-added';

-- @order: how an image lies on disk, so that one area's question reads few blocks
entries: area, category, effective_on, position
