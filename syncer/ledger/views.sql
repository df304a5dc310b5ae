-- The analysis tables of contract.md: one SELECT each, named by the comment above it. They are copied, row by row, into
-- analysis.duckdb. `key` names the column whose growth tells which rows are new ("whole" = small, or changing in place:
-- copied afresh when the ledger moved). No token, key or secret is in any of them.

-- name: runs  key: whole
SELECT r.connection, r.run_id, r.kind, r.scope, r.asked_by, r.started_at, r.finished_at,
       COALESCE(r.ended, 'running') AS ended, r.cause,
       CAST(json_extract(r.result, '$.outcomes.created') AS INTEGER) AS created,
       CAST(json_extract(r.result, '$.outcomes.updated') AS INTEGER) AS updated,
       CAST(json_extract(r.result, '$.outcomes.voided') AS INTEGER) AS voided,
       CAST(json_extract(r.result, '$.outcomes.paid') AS INTEGER) AS paid,
       CAST(json_extract(r.result, '$.outcomes.unchanged') AS INTEGER) AS unchanged,
       CAST(json_extract(r.result, '$.outcomes.held') AS INTEGER) AS held,
       CAST(json_extract(r.result, '$.outcomes.deferred') AS INTEGER) AS deferred,
       CAST(json_extract(r.result, '$.outcomes.in_doubt') AS INTEGER) AS in_doubt,
       CAST(json_extract(r.result, '$.outcomes.skipped') AS INTEGER) AS skipped,
       CAST(json_extract(r.result, '$.outcomes.not_eligible') AS INTEGER) AS not_eligible,
       CAST(json_extract(r.result, '$.calls.xero') AS INTEGER) AS xero_calls,
       CAST(json_extract(r.result, '$.calls.crococlick') AS INTEGER) AS crococlick_calls
FROM run r;

-- name: attempts  key: end_id
SELECT e.id AS end_id, a.id AS attempt_id, a.connection, a.run_id, a.call_id, a.kind, a.source_id, a.number, a.action,
       a.begun_at, e.ended_at, e.outcome, e.cause, e.facts, e.xero_id
FROM attempt_end e JOIN attempt a ON a.id = e.attempt_id;

-- name: invoices  key: whole
SELECT connection, source_id AS crococlick_id, xero_id, number, status, state, cause, facts, currency, total, tax,
       amount_paid, amount_due, issue_date, due_date, contact_id, contact_name, contact_email, live, first_seen_at,
       changed_at, seen_at, decided_at, tried_at, retry_at, tries, synced_at, xero_number, xero_status, xero_total,
       xero_tax, xero_amount_due
FROM invoice;

-- name: contacts  key: whole
SELECT connection, source_id AS crococlick_id, xero_id, name, email, company, phone, link, linked_at, cause, seen_at
FROM contact
UNION ALL
SELECT connection, source_id, NULL, name, email, company, phone, NULL, NULL, NULL, seen_at FROM source_contact AS s
WHERE NOT EXISTS (SELECT 1 FROM contact c WHERE c.connection = s.connection AND c.source_id = s.source_id);

-- name: duplicates  key: whole
WITH typed AS (
    SELECT connection, side, id, name, status, unnest(regexp_extract_all(
        replace(lower(email), 'ß', 'ss'), '[^\s<>,;:|"()\[\]]+@[^\s<>,;:|"''()\[\]@]+\.[^\s<>,;:|"''()\[\]@]+'
    )) AS email
    FROM (
        SELECT connection, 'crococlick' AS side, source_id AS id, name, 'ACTIVE' AS status, email FROM source_contact
        UNION ALL
        SELECT connection, 'crococlick', source_id, name, 'ACTIVE', email FROM contact AS c WHERE NOT EXISTS (
            SELECT 1 FROM source_contact s WHERE s.connection = c.connection
        )
        UNION ALL
        SELECT connection, 'xero', xero_id, name, status, email FROM book_contact WHERE status = 'ACTIVE'
    ) AS sides
), address AS (
    SELECT DISTINCT connection, side, id, name, status, trim(email, '.''') AS email FROM typed
    WHERE length(email) - length(replace(email, '@', '')) = 1
), counted AS (
    SELECT *, count(*) OVER (PARTITION BY connection, email) AS members FROM address
), linked AS (
    SELECT ours.connection, ours.email FROM counted ours
    JOIN contact c ON c.connection = ours.connection AND c.source_id = ours.id
    JOIN counted there ON there.connection = ours.connection AND there.email = ours.email AND there.id = c.xero_id
    WHERE ours.members = 2 AND ours.side = 'crococlick' AND there.side = 'xero'
)
SELECT connection, email, side, id, name, status FROM counted a
WHERE members > 1 AND NOT EXISTS (SELECT 1 FROM linked l WHERE l.connection = a.connection AND l.email = a.email);

-- name: calls  key: id
SELECT id, connection, run_id, call_id, made_at, side, method, path, status, ms, bytes_sent, bytes_received,
       minute_left, day_left, correlation_id, failure
FROM call;

-- name: checks  key: whole
SELECT connection, code, subject, level, facts, invoices, money, checked_at FROM readiness WHERE code <> 'seen';
