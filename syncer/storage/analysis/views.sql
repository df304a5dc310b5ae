-- The analysis tables of contract.md: one SELECT each, named by the comment above it. They are copied, row by row, into
-- analysis.duckdb. `key` names the column whose growth tells which rows are new ("whole" = small, or changing in place:
-- copied afresh when the ledger moved; "fingerprint" = read out of the contents of invoices, of those that have changed).
-- No token, key or secret is in any of them.

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

-- name: attempts  key: end_id  of: attempt_end.id
-- `invoice_id` is CrocoClick's id of the invoice it was for; `amount` the payment's, or the total of the document that was
-- sent, in `currency`.
SELECT e.id AS end_id, a.id AS attempt_id, a.connection, a.run_id, a.call_id, a.kind, a.source_id, a.number, a.action,
       a.begun_at, e.ended_at, e.outcome, e.cause, e.facts, e.xero_id, i.source_id AS invoice_id, i.currency,
       CASE WHEN a.kind = 'invoice' AND i.source_id IS NOT NULL
            THEN COALESCE(TRY_CAST(json_extract_string(a.expected, '$.total') AS DECIMAL(24, 6)), i.total)
            WHEN i.source_id IS NOT NULL
            THEN TRY_CAST(json_extract_string(a.expected, '$.amount') AS DECIMAL(24, 6)) END AS amount
FROM attempt_end e JOIN attempt a ON a.id = e.attempt_id
LEFT JOIN invoice i ON i.connection = a.connection AND i.source_id = CASE
    WHEN a.kind = 'invoice' THEN a.source_id
    WHEN a.kind IN ('payment', 'unpay') THEN json_extract_string(a.expected, '$.owner')
END;

-- name: arrivals  key: whole
-- Each invoice that we brought to Xero, once: when it first stood there, after how many tries, how long after we first
-- saw it in CrocoClick.
WITH tried AS (
    SELECT a.connection, a.source_id, a.run_id, a.action, e.id, e.outcome, e.ended_at,
           row_number() OVER (PARTITION BY a.connection, a.source_id ORDER BY a.id) AS tries
    FROM attempt a JOIN attempt_end e ON e.attempt_id = a.id WHERE a.kind = 'invoice'
), came AS (
    SELECT connection, source_id, arg_min(struct_pack(run_id, outcome, ended_at, tries), id) AS first
    FROM tried WHERE outcome = 'created' OR (outcome = 'found' AND action = 'create') GROUP BY ALL
)
SELECT c.connection, c.source_id AS crococlick_id, c.first.run_id AS run_id, c.first.ended_at AS arrived_at,
       c.first.outcome AS outcome, CAST(c.first.tries AS INTEGER) AS tries, c.first.tries = 1 AS at_first_try,
       i.currency, i.total, greatest(0, date_diff('second', i.first_seen_at, c.first.ended_at)) AS seconds
FROM came c JOIN invoice i ON i.connection = c.connection AND i.source_id = c.source_id;

-- name: problems  key: id
-- Each time an invoice was held, refused or put off, and why.
SELECT id, connection, run_id, source_id AS crococlick_id, happened_at, what, cause, facts FROM history
WHERE kind = 'invoice' AND cause <> '' AND what IN (
    'held', 'retrying', 'refused', 'deferred', 'payment_refused', 'payment_deferred', 'removal_refused', 'removal_deferred'
);

-- name: taxes  key: fingerprint
-- The lines of each invoice by the taxes on them: their amounts as the invoice states them (quantity × price), before a
-- discount on the whole, with tax where its prices include tax. Of several taxes on a line the rates are in ascending
-- order, as in the names of settings; `none` is a line without tax.
WITH written AS (
    SELECT connection, source_id, fingerprint, json_extract_string(content, '$[2]') AS currency,
           TRY_CAST(json_extract_string(content, '$[3]') AS DATE) AS issue_date,
           json_extract_string(content, '$[9][*][1]') AS quantities, json_extract_string(content, '$[9][*][2]') AS prices,
           json_extract_string(content, '$[9][*][3]') AS taxes, json_extract_string(content, '$[9][*][4]') AS inclusive
    FROM invoice_content
), line AS (
    SELECT connection, source_id, fingerprint, currency, issue_date, unnest(taxes) AS taxes,
           unnest(inclusive) = 'true' AS prices_include_tax,
           TRY_CAST(unnest(quantities) AS DECIMAL(18, 6)) * TRY_CAST(unnest(prices) AS DECIMAL(18, 6)) AS amount
    FROM written
), sorted AS (
    SELECT taxes, list_sort(list_transform(
        from_json(taxes, '[["VARCHAR"]]'),
        lambda one: struct_pack(size := CAST(one[3] AS DOUBLE), rate := one[3], name := one[2])
    )) AS each FROM (SELECT DISTINCT taxes FROM line)
), named AS (
    SELECT taxes, array_to_string(list_transform(each, lambda one: one.name), ' + ') AS tax,
           CASE WHEN len(each) = 0 THEN 'none'
                ELSE array_to_string(list_transform(each, lambda one: one.rate || '%'), '+') END AS rate
    FROM sorted
)
SELECT l.connection, l.source_id AS crococlick_id, l.fingerprint, n.tax, n.rate, l.prices_include_tax, l.currency,
       l.issue_date, count(*) AS lines, CAST(sum(l.amount) AS DECIMAL(24, 6)) AS amount
FROM line l JOIN named n ON n.taxes = l.taxes
GROUP BY ALL;

-- name: invoices  key: whole
SELECT connection, source_id AS crococlick_id, xero_id, number, status, state, cause, facts, currency, total, tax,
       amount_paid, amount_due, issue_date, due_date, contact_id, contact_name, contact_email, live, first_seen_at,
       changed_at, seen_at, decided_at, tried_at, retry_at, tries, synced_at, xero_number, xero_status, xero_total,
       xero_tax, xero_amount_due
FROM {invoice_now};

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
