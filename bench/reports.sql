-- A year of a large customer, spread evenly, for bench/reports.py.

-- name: invoices
-- Half of the tries create one of these; what the other half does follows from its number.
INSERT INTO invoice BY NAME
SELECT 'default' AS connection, printf('%024x', n) AS source_id, printf('INV-%07d', n) AS number,
       ['sent', 'paid', 'paid', 'partially_paid'][1 + n % 4] AS status, true AS live,
       ['EUR', 'EUR', 'EUR', 'GBP', 'USD'][1 + n % 5] AS currency, total, total / 6 AS tax, 0 AS amount_paid,
       total AS amount_due, CAST(seen_at AS DATE) AS issue_date, NULL AS due_date, 'c' || n % 9000 AS contact_id,
       'Customer ' || n % 9000 AS contact_name, 'c' || n % 9000 || '@example.com' AS contact_email,
       printf('%032x', n * 7919) AS fingerprint, seen_at AS first_seen_at, seen_at AS changed_at, seen_at,
       CASE WHEN n % 50 = 7 THEN 'held' ELSE 'synced' END AS state,
       CASE WHEN n % 50 = 7 THEN 'tax_unmapped' END AS cause,
       CASE WHEN n % 50 = 7 THEN '{"tax": "TVA 5,5 %", "rate": "5.5%", "line": 2}' END AS facts,
       seen_at AS decided_at, 1 AS tries, CASE WHEN n % 50 <> 7 THEN printf('%036x', n) END AS xero_id,
       CASE WHEN n % 50 <> 7 THEN seen_at + to_seconds(20 + n % 400) END AS synced_at
FROM (SELECT n, CAST((10 + n % 90000) / 7 AS DECIMAL(24, 2)) AS total,
             CAST($now AS TIMESTAMP) - to_seconds(CAST(($invoices - n) * 86400.0 * $days / $invoices AS BIGINT)) AS seen_at
      FROM range($invoices) AS every(n));

-- name: contents
-- Three lines each: 20 %, 5.5 %, no tax.
INSERT INTO invoice_content
SELECT connection, source_id, fingerprint,
       '["' || number || '",["' || contact_id || '","' || contact_name || '","' || contact_email || '","",""],"'
       || currency || '","' || issue_date || '",null,"INVOICE","' || total || '","' || tax || '",null,'
       || '[["Consulting","2","500",[["t20","TVA 20 %","20",false]],false,"Two days at the customer''s place, as agreed","p1"],'
       || '["Book","1","' || total || '",[["t55","TVA 5,5 %","5.5",false]],false,"A book about bookkeeping","p2"],'
       || '["Postage","1","8.90",[],false,"",""]]]'
FROM invoice;

-- name: attempts
-- Of ten invoices six are paid and one is edited; one is refused first, one lost first, one makes a contact.
INSERT INTO attempt BY NAME
SELECT CAST(row_number() OVER (ORDER BY begun_at, n, place) AS BIGINT) AS id, 'default' AS connection, strftime(begun_at, 'run-%Y%m%d-%H') AS run_id,
       printf('call-%x', n // 50) AS call_id, n % 50 AS position, kind, source_id, action, number,
       printf('%064x', n * 7919) AS idempotency_key, fingerprint, '{"owner": "' || substr(source_id, 2)
       || '", "amount": "12.50", "total": "' || 12.5 + n % 700 || '"}' AS expected, begun_at
FROM (
    SELECT n, 2 AS place, 'invoice' AS kind, source_id, 'create' AS action, number, fingerprint,
           first_seen_at + to_seconds(19 + n % 400) AS begun_at
    FROM (SELECT *, row_number() OVER () AS n FROM invoice) AS one
    UNION ALL
    SELECT n, CASE WHEN n % 10 IN (7, 8) THEN 1 ELSE 3 END, CASE WHEN n % 10 < 6 THEN 'payment' WHEN n % 10 = 9 THEN 'contact' ELSE 'invoice' END,
           CASE WHEN n % 10 < 6 THEN 'p' || source_id WHEN n % 10 = 9 THEN contact_id ELSE source_id END,
           CASE WHEN n % 10 = 6 THEN 'update' ELSE 'create' END, number, fingerprint,
           first_seen_at + to_seconds(CASE WHEN n % 10 IN (7, 8) THEN 5 ELSE 90000 END)
    FROM (SELECT *, row_number() OVER () AS n FROM invoice) AS one
);

-- name: ends
-- An invoice that is tried again later did not arrive at first.
INSERT INTO attempt_end BY NAME
SELECT id, id AS attempt_id, connection,
       CASE WHEN kind = 'payment' THEN 'paid' WHEN action = 'update' THEN 'updated'
            WHEN lead(source_id) OVER (PARTITION BY kind, source_id ORDER BY id) IS NULL OR kind = 'contact' THEN 'created'
            WHEN id % 2 = 0 THEN 'refused' ELSE 'not_arrived' END AS outcome,
       CASE WHEN outcome = 'refused' THEN 'rejected_by_xero' WHEN outcome = 'not_arrived' THEN 'answer_lost' END AS cause,
       NULL AS facts, printf('%036x', id) AS xero_id, begun_at + to_seconds(1) AS ended_at
FROM attempt;

-- name: history
-- Every twelfth was held first, for one of ten causes.
INSERT INTO history BY NAME
SELECT CAST(row_number() OVER (ORDER BY happened_at, source_id) AS BIGINT) AS id, 'default' AS connection,
       strftime(happened_at, 'run-%Y%m%d-%H') AS run_id, 'invoice' AS kind, source_id, happened_at, what, cause,
       facts, 'sync' AS by_whom
FROM (
    SELECT source_id, first_seen_at AS happened_at, 'seen' AS what, NULL AS cause, NULL AS facts FROM invoice
    UNION ALL
    SELECT source_id, first_seen_at + to_seconds(60), 'created', NULL, NULL FROM invoice
    UNION ALL
    SELECT source_id, first_seen_at + to_seconds(30), 'held',
           ['tax_unmapped', 'contact_name_taken', 'due_date_missing', 'number_taken', 'period_locked', 'contact_ambiguous',
            'payment_exceeds_due', 'account_missing', 'xero_unavailable', 'rate_limited_day'][1 + CAST(hash(number) % 10 AS INTEGER)], NULL
    FROM invoice WHERE hash(source_id) % 12 = 0
);

-- name: calls
-- A quarter as many as tries.
INSERT INTO call BY NAME
SELECT n AS id, 'default' AS connection, strftime(made_at, 'run-%Y%m%d-%H') AS run_id, printf('call-%x', n) AS call_id, made_at,
       CASE WHEN n % 9 = 0 THEN 'crococlick' WHEN n % 50 = 1 THEN 'xero_login' ELSE 'xero' END AS side,
       CASE WHEN n % 3 = 0 THEN 'GET' ELSE 'PUT' END AS method, '/api.xro/2.0/Invoices' AS path,
       CASE WHEN n % 97 = 0 THEN 503 ELSE 200 END AS status, CAST(n % 900 AS INTEGER) AS ms, n % 40000 AS bytes_sent, n % 90000 AS bytes_received,
       59 AS minute_left,
       CASE WHEN n % 9 > 0 THEN 5000 - CAST(date_diff('second', date_trunc('day', made_at), made_at) * ($calls / $days) / 86400 AS INTEGER) END AS day_left,
       printf('%036x', n) AS correlation_id, '' AS idempotency_key, '' AS failure
FROM (SELECT n, CAST($now AS TIMESTAMP) - to_seconds(CAST(($calls - n) * 86400.0 * $days / $calls AS BIGINT)) AS made_at
      FROM range(1, $calls + 1) AS every(n));

-- name: runs
-- One an hour.
INSERT INTO run BY NAME
SELECT run_id, 'default' AS connection, 'sync' AS kind, '' AS scope, 'cron' AS asked_by, 1 AS pid, min(begun_at) AS started_at,
       max(begun_at) AS heard_at, max(begun_at) AS finished_at, 'done' AS ended, 'done' AS phase, 0 AS done, 0 AS todo,
       '{"outcomes": {"created": ' || count(*) || '}, "calls": {"xero": 9, "crococlick": 3}}' AS result
FROM attempt GROUP BY run_id;
