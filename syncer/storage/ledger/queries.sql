-- Named queries of the ledger. Each line after a name says what the query is for. `{invoice_now}` in a query stands for
-- the query of that name in database/parts.sql.

-- name: obstacles
-- What stands in the way of a connection, what is shown first.
SELECT * FROM obstacle WHERE connection = $connection ORDER BY place;

-- name: paused
-- The pause of a connection, if a person has paused it.
SELECT * FROM obstacle WHERE connection = $connection AND code = 'paused';

-- name: answered
-- Which services answered since then, with anything but a failure.
SELECT DISTINCT side FROM call WHERE connection = $connection AND made_at >= $since AND status BETWEEN 200 AND 299;

-- name: connections
-- Every connection, the default one first.
SELECT * FROM connection ORDER BY connection <> 'default', connection;

-- name: connection
-- One connection.
SELECT * FROM connection WHERE connection = $connection;

-- name: settings
-- The newest value of every setting.
SELECT key, value, changed_at, changed_by FROM setting
WHERE connection = $connection AND id IN (SELECT max(id) FROM setting WHERE connection = $connection GROUP BY key)
ORDER BY key;

-- name: runs
-- The latest syncs, newest first; imports of contacts are told on their own page.
SELECT * FROM run WHERE connection = $connection AND kind = 'sync' ORDER BY started_at DESC, run_id DESC LIMIT $limit;

-- name: run
-- One run.
SELECT * FROM run WHERE connection = $connection AND run_id = $run_id;

-- name: run_was_idle
-- Whether a run tried nothing and decided nothing otherwise than before.
SELECT NOT EXISTS (SELECT 1 FROM attempt WHERE run_id = $run_id)
   AND NOT EXISTS (SELECT 1 FROM history WHERE run_id = $run_id);

-- name: forget_idle_runs
-- The sweeps of a watch since then that found nothing to do, but for this one and the first of them.
DELETE FROM run WHERE connection = $connection AND run_id <> $run_id AND asked_by = 'watch' AND ended = 'done'
AND started_at >= $since
AND run_id <> (SELECT min(run_id) FROM run WHERE connection = $connection AND started_at >= $since)
AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.run_id = run.run_id)
AND NOT EXISTS (SELECT 1 FROM history h WHERE h.run_id = run.run_id);

-- name: run_money
-- What these runs created, updated or voided, in money.
SELECT a.run_id, i.currency, sum(i.total) AS money
FROM attempt a JOIN attempt_end e ON e.attempt_id = a.id
JOIN invoice i ON i.connection = a.connection AND i.source_id = a.source_id
WHERE a.connection = $connection AND list_contains($run_ids, a.run_id) AND a.kind = 'invoice'
AND e.outcome IN ('created', 'updated', 'voided', 'found')
GROUP BY ALL ORDER BY i.currency;

-- name: run_records
-- The invoices that a run tried or decided anew, newest first.
SELECT h.source_id, i.number, i.contact_name, h.what, h.cause, h.facts, h.happened_at, i.currency, i.total, i.state
FROM history h JOIN {invoice_now} i ON i.connection = h.connection AND i.source_id = h.source_id
WHERE h.connection = $connection AND h.run_id = $run_id AND h.kind = 'invoice' AND h.what <> 'seen'
ORDER BY h.id DESC LIMIT $limit;

-- name: run_calls
-- The calls of a run by side and method.
SELECT side, method, count(*) AS calls, CAST(avg(ms) AS INTEGER) AS ms, sum(bytes_sent + bytes_received) AS bytes
FROM call WHERE connection = $connection AND run_id = $run_id GROUP BY ALL ORDER BY side, method;

-- name: payments_looked_at
-- When all that was missing of transactions was last read and their invoices looked at; none where a run ended before.
SELECT reached_at FROM watermark WHERE connection = $connection AND name = 'payments_looked_at' AND reached_at >= COALESCE(
    (SELECT max(reached_at) FROM watermark WHERE connection = $connection AND name IN ('payments', 'payments_of')),
    reached_at
);

-- name: known_invoices
-- What was last seen of every invoice, to tell what has changed.
SELECT source_id, fingerprint, status, live, amount_paid, amount_due, COALESCE(gone, false) AS gone
FROM invoice WHERE connection = $connection;

-- name: workload
-- Every invoice that a plan has to look at (all, or of these alone): all but those that are synced, those whose last try
-- is still open, and those that the last reading of everything did not show any more.
SELECT i.*, c.content FROM invoice i
JOIN invoice_content c ON c.connection = i.connection AND c.source_id = i.source_id
WHERE i.connection = $connection AND i.open_attempt IS NULL AND i.state <> 'synced'
AND ($everything OR list_contains($ids, i.source_id))
AND (i.xero_id IS NOT NULL OR i.seen_at >= COALESCE(
    (SELECT max(reached_at) FROM watermark WHERE connection = $connection AND name = 'crococlick_all'), i.seen_at
))
AND NOT EXISTS (
    SELECT 1 FROM payment p
    WHERE p.connection = i.connection AND p.invoice_id = i.source_id AND p.open_attempt IS NOT NULL
)
ORDER BY i.issue_date, i.source_id;

-- name: invoices_by_id
-- Some invoices with their content.
SELECT i.*, c.content FROM invoice i
JOIN invoice_content c ON c.connection = i.connection AND c.source_id = i.source_id
WHERE i.connection = $connection AND list_contains($ids, i.source_id);

-- name: shared_numbers
-- Invoices whose number stands on several, with what decides who may use it.
SELECT i.source_id, i.number, i.status, i.live, i.issue_date, i.contact_name, i.xero_id, i.xero_head, i.gone, i.ordered,
       i.ordered_said, i.ordered_by, json_extract_string(c.content, '$[10].flaw[0]') AS flaw
FROM invoice i LEFT JOIN invoice_content c ON c.connection = i.connection AND c.source_id = i.source_id
WHERE i.connection = $connection AND i.number IN (
    SELECT number FROM invoice WHERE connection = $connection GROUP BY number HAVING count(*) > 1
);

-- name: holders
-- Our invoices behind some documents in Xero: those bound to them, and those whose mark they carry.
SELECT i.source_id, i.number, i.status, i.live, i.issue_date, i.contact_name, i.xero_id, i.xero_head, i.gone, i.ordered,
       i.ordered_said, i.ordered_by, json_extract_string(c.content, '$[10].flaw[0]') AS flaw
FROM invoice i LEFT JOIN invoice_content c ON c.connection = i.connection AND c.source_id = i.source_id
WHERE i.connection = $connection AND (list_contains($ids, i.xero_id) OR list_contains($marks, i.source_id));

-- name: open_attempts
-- Tries that never got an answer, call by call, in the order they were sent; those of an import apart from all others.
SELECT a.* FROM attempt a
LEFT JOIN attempt_end e ON e.attempt_id = a.id
WHERE a.connection = $connection AND e.attempt_id IS NULL AND (a.kind = 'import') = $imports
ORDER BY a.call_id, a.position;

-- name: open_subjects
-- The records with an open try: a quick look before the slower question.
SELECT (SELECT count(*) FROM invoice WHERE connection = $connection AND open_attempt IS NOT NULL)
     + (SELECT count(*) FROM contact WHERE connection = $connection AND open_attempt IS NOT NULL)
     + (SELECT count(*) FROM payment WHERE connection = $connection AND open_attempt IS NOT NULL)
     + (SELECT count(*) FROM watermark WHERE connection = $connection AND name = 'creating') AS open;

-- name: contacts
-- Every CrocoClick contact that an invoice names, with its binding.
SELECT * FROM contact WHERE connection = $connection;

-- name: customer_snapshots
-- Each contact as the newest of its invoices names it.
SELECT i.contact_id, arg_max(json_extract_string(c.content, '$[1]'), (i.issue_date, i.source_id)) AS customer
FROM invoice i JOIN invoice_content c ON c.connection = i.connection AND c.source_id = i.source_id
WHERE i.connection = $connection AND i.contact_id <> '' GROUP BY i.contact_id;

-- name: books
-- The organisation's settings as last read.
SELECT read_at, content FROM books WHERE connection = $connection;

-- name: book_contacts
-- The mirror of Xero's contacts.
SELECT * FROM book_contact WHERE connection = $connection;

-- name: book_invoices
-- The mirror of Xero's sales invoices.
SELECT * FROM book_invoice WHERE connection = $connection;

-- name: watermark
-- When something was last read up to date.
SELECT reached_at FROM watermark WHERE connection = $connection AND name = $name;

-- name: found_again
-- How many records are known, and how many of them are known to stand in Xero.
SELECT (SELECT count(*) FROM invoice WHERE connection = $connection) AS known,
    (SELECT count(*) FROM invoice WHERE connection = $connection AND xero_id IS NOT NULL) AS invoices,
    (SELECT count(*) FROM contact WHERE connection = $connection AND xero_id IS NOT NULL) AS contacts,
    (SELECT count(*) FROM payment WHERE connection = $connection AND xero_id IS NOT NULL) AS payments;

-- name: counts
-- Invoices and money by state, cause and currency.
SELECT state, cause, currency, count(*) AS invoices, sum(total) AS money, min(decided_at) AS since, min(retry_at) AS retry_at
FROM {invoice_now} WHERE connection = $connection GROUP BY state, cause, currency;

-- name: due
-- What tells a watch what to do next; `since` is when it last looked.
SELECT (SELECT min(retry_at) FROM invoice WHERE connection = $connection AND state = 'retrying') AS retry_at,
       (SELECT count(*) FROM invoice WHERE connection = $connection AND state = 'waiting') AS waiting,
       (SELECT max(changed_at) FROM setting WHERE connection = $connection) AS setting_at,
       (SELECT max(happened_at) FROM history WHERE connection = $connection AND happened_at >= $since
        AND starts_with(what, 'order_') AND what <> 'order_skip') AS order_at,
       (SELECT reached_at FROM watermark WHERE connection = $connection AND name = 'crococlick') AS swept_at;

-- name: waiting
-- Invoices that are to go over with the next run, as far as they themselves say.
SELECT source_id FROM invoice WHERE connection = $connection AND state = 'waiting';

-- name: gone_live
-- Whether anybody ever synced the connection as a whole.
SELECT EXISTS (SELECT 1 FROM run WHERE connection = $connection AND kind = 'sync' AND scope = '') AS live;

-- name: ordered
-- Invoices that a person gave an order for since then, and that no run has looked at.
SELECT source_id FROM invoice WHERE connection = $connection AND asked_at >= $since
AND state IN ('waiting', 'held', 'retrying', 'not_eligible') ORDER BY asked_at, source_id LIMIT $limit;

-- name: events_known
-- Which of these events were acted on already.
SELECT webhook_id FROM webhook WHERE list_contains($ids, webhook_id);

-- name: last_event
-- When CrocoClick last told anything by itself.
SELECT max(received_at) AS received_at, count(*) AS events FROM webhook WHERE connection = $connection;

-- name: forget_events
-- Events of so long ago that CrocoClick will not repeat them.
DELETE FROM webhook WHERE connection = $connection AND received_at < $before;

-- name: held_alike
-- What is in these states, counted by state, cause, facts, currency and the viewer's day (`minutes` from UTC) on which it
-- came to be so; with what tells whether they have a customer or an issue date in common.
SELECT state, cause, facts, currency, CAST(decided_at + to_minutes($minutes) AS DATE) AS day,
       count(*) AS invoices, sum(total) AS money, min(decided_at) AS since, min(retry_at) AS retry_at,
       min(contact_id) AS first_contact, max(contact_id) AS last_contact,
       arg_min(contact_name, contact_id) AS first_name, arg_max(contact_name, contact_id) AS last_name,
       min(issue_date) AS first_issued, max(issue_date) AS last_issued
FROM {invoice_now} WHERE connection = $connection AND list_contains($states, state) GROUP BY ALL;

-- name: held_for
-- The records in these states for one cause, largest amounts first.
SELECT source_id, number, status, contact_id, contact_name, currency, total, state, cause, facts, decided_at, retry_at,
       issue_date, xero_id, xero_status, ordered, refused_stamp
FROM {invoice_now} WHERE connection = $connection AND list_contains($states, state)
AND COALESCE(cause, 'answer_lost') = $cause ORDER BY total DESC, source_id;

-- name: settled
-- What a person was needed for once and is settled since then, newest first: why it waited last, and what came after:
-- the last order and who gave it, whether CrocoClick changed it, and when nothing was open any more.
WITH held AS (
    SELECT source_id, max(id) AS id FROM history
    WHERE connection = $connection AND kind = 'invoice'
    AND what IN ('held', 'refused', 'payment_refused', 'removal_refused', 'order_skip') GROUP BY source_id
), after AS (
    SELECT h.source_id, max(h.id) FILTER (starts_with(h.what, 'order_')) AS order_id,
           bool_or(h.what = 'changed' OR starts_with(h.what, 'status_')) AS is_changed,
           min(h.happened_at) FILTER (h.what IN ('created', 'updated', 'voided', 'found', 'adopted', 'paid',
               'payment_found', 'recounted', 'synced', 'not_eligible')) AS moved_at,
           max(h.happened_at) AS last_at
    FROM history h JOIN held ON held.source_id = h.source_id AND h.id > held.id
    WHERE h.connection = $connection AND h.kind = 'invoice' GROUP BY h.source_id
)
SELECT i.source_id, i.number, i.contact_name, i.currency, i.total, i.state, i.issue_date,
       w.what AS held_what, w.cause, w.facts, w.happened_at AS held_at,
       COALESCE(after.moved_at, after.last_at) AS settled_at, after.is_changed,
       o.what AS order_what, o.facts AS order_facts, o.by_whom AS order_by
FROM after JOIN held ON held.source_id = after.source_id
JOIN {invoice_now} i ON i.connection = $connection AND i.source_id = after.source_id
JOIN history w ON w.id = held.id AND w.connection = $connection
LEFT JOIN history o ON o.id = after.order_id AND o.connection = $connection
WHERE i.state IN ('synced', 'not_eligible') AND COALESCE(after.moved_at, after.last_at) >= $since
ORDER BY settled_at DESC, i.total DESC, i.source_id LIMIT $limit;

-- name: contact
-- One CrocoClick contact that an invoice names, with its binding.
SELECT * FROM contact WHERE connection = $connection AND source_id = $source_id;

-- name: moved
-- What went over, by the viewer's day (`minutes` from UTC) and currency.
SELECT CAST(e.ended_at + to_minutes($minutes) AS DATE) AS day, e.outcome, i.currency,
       count(*) AS records, sum(i.total) AS money
FROM attempt_end e JOIN attempt a ON a.id = e.attempt_id
JOIN invoice i ON i.connection = a.connection AND i.source_id = a.source_id
WHERE e.connection = $connection AND a.kind = 'invoice' AND e.ended_at >= $since
AND e.outcome IN ('created', 'updated', 'voided', 'found')
GROUP BY ALL
UNION ALL
SELECT CAST(p.carried_at + to_minutes($minutes) AS DATE), 'paid', p.currency, count(*), sum(p.amount)
FROM payment p WHERE p.connection = $connection AND p.carried_at >= $since
GROUP BY ALL ORDER BY 1, 2, 3;

-- name: moved_how
-- Of what was created: how many, how many at the first try, and the median seconds from first sight to Xero.
SELECT count(*) AS created, count(*) FILTER (WHERE i.tries <= 1) AS first_try,
       median(date_diff('second', i.first_seen_at, e.ended_at)) AS seconds
FROM attempt_end e JOIN attempt a ON a.id = e.attempt_id
JOIN invoice i ON i.connection = a.connection AND i.source_id = a.source_id
WHERE e.connection = $connection AND a.kind = 'invoice' AND e.ended_at >= $since
AND e.outcome IN ('created', 'found');

-- name: latest_invoices
-- The invoices that moved last, for a first look.
SELECT * FROM {invoice_now} WHERE connection = $connection
ORDER BY COALESCE(issue_date, DATE '1900-01-01') DESC, number DESC LIMIT $limit;

-- name: calls_since
-- How many calls were made on each side since then; one of Xero's login counts for nothing.
SELECT side, count(*) AS calls FROM call
WHERE connection = $connection AND made_at >= $since GROUP BY side;

-- name: last_success
-- The sync that last came to its end.
SELECT * FROM run WHERE connection = $connection AND kind = 'sync' AND ended = 'done' ORDER BY started_at DESC LIMIT 1;

-- name: budget
-- What the last Xero answer said is left.
SELECT minute_left, day_left, made_at FROM call
WHERE connection = $connection AND side = 'xero' AND day_left IS NOT NULL ORDER BY id DESC LIMIT 1;

-- name: calls_of_run
-- How many calls a run made on each side.
SELECT side, count(*) AS calls FROM call WHERE connection = $connection AND run_id = $run_id GROUP BY side;

-- name: find_exact
-- Invoices with exactly this number or id.
SELECT * FROM {invoice_now} WHERE connection = $connection
AND (source_id = $what OR xero_id = $what OR lower(number) = lower($what)) ORDER BY issue_date DESC LIMIT $limit;

-- name: find_like
-- Invoices whose number contains this, or a name or email of whose customer does as a phrase, newest first.
SELECT * FROM {invoice_now} WHERE connection = $connection AND source_id IN (
    SELECT source_id FROM {haystack} AS hay
    WHERE contains(lower(number), lower($what)) OR ($phrase <> '' AND contains(names, $phrase))
) ORDER BY lower(contact_email) = lower($what) DESC, issue_date DESC, number LIMIT $limit;

-- name: find_words
-- Invoices that every word is found in, in the names or the number, or of this amount; those whose number or name
-- holds it in one piece first, then the newest.
WITH hit AS (
    SELECT source_id, NOT (contains(code, $code) OR contains(names, $phrase)) AS apart FROM {haystack} AS hay
    WHERE total = $amount OR amount_due = $amount OR NOT EXISTS (
        SELECT 1 FROM unnest($words) AS w(word)
        WHERE NOT (contains(names, word) OR contains(code, translate(word, 'o', '0')))
    )
)
SELECT i.* FROM {invoice_now} i JOIN hit ON hit.source_id = i.source_id
WHERE i.connection = $connection ORDER BY hit.apart, i.issue_date DESC, i.number LIMIT $limit;

-- name: find_nearly
-- Invoices in whose names each word is found but for one letter, or whose number is this one but for one.
WITH hit AS (
    SELECT source_id FROM {haystack} AS hay
    WHERE damerau_levenshtein(code, $code) <= 1 OR NOT EXISTS (
        SELECT 1 FROM unnest($words) AS w(word)
        WHERE NOT contains(names, word) AND (length(word) < 4 OR NOT EXISTS (
            SELECT 1 FROM unnest(string_split(names, ' ')) AS n(name)
            WHERE abs(length(name) - length(word)) <= 1 AND damerau_levenshtein(name, word) <= 1
        ))
    )
)
SELECT i.* FROM {invoice_now} i JOIN hit ON hit.source_id = i.source_id
WHERE i.connection = $connection ORDER BY i.issue_date DESC, i.number LIMIT $limit;

-- name: find_contacts
-- Contacts of either side that every word is found in and that no invoice is for.
WITH known AS (
    SELECT 'crococlick' AS side, source_id AS id, name, email, company FROM source_contact
    WHERE connection = $connection
    UNION ALL
    SELECT 'xero', xero_id, name, email, '' FROM book_contact WHERE connection = $connection
), hay AS (
    SELECT *, trim(regexp_replace(replace(replace(strip_accents(lower(concat_ws(' ', known.name, known.email, known.company))), 'œ', 'oe'), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g')) AS names FROM known
), billed AS (
    SELECT DISTINCT contact_id FROM invoice WHERE connection = $connection
)
SELECT side, id, name, email, company FROM hay
WHERE NOT EXISTS (SELECT 1 FROM unnest($words) AS w(word) WHERE NOT contains(names, word))
AND id NOT IN (SELECT contact_id FROM billed)
AND id NOT IN (
    SELECT c.xero_id FROM contact c JOIN billed ON billed.contact_id = c.source_id
    WHERE c.connection = $connection AND c.xero_id IS NOT NULL
) ORDER BY name, side LIMIT $limit;

-- name: history_of
-- The story of one record, oldest first.
SELECT * FROM history WHERE connection = $connection AND kind = $kind AND source_id = $source_id ORDER BY id;

-- name: attempts_of
-- Every try for one record with its end and its call, oldest first.
SELECT a.id, a.run_id, a.call_id, a.position, a.action, a.begun_at, e.ended_at, e.outcome, e.cause, e.facts,
       c.made_at, c.method, c.path, c.status, c.ms, c.correlation_id
FROM attempt a
LEFT JOIN attempt_end e ON e.attempt_id = a.id
LEFT JOIN call c ON c.call_id = a.call_id AND c.connection = a.connection
WHERE a.connection = $connection AND a.kind = $kind AND a.source_id = $source_id ORDER BY a.id;

-- name: run_result
-- How every invoice came out of a run: what was done to it then, else the state it is in.
SELECT i.currency,
       CASE WHEN i.state = 'synced' THEN COALESCE(done.what, 'unchanged')
            WHEN i.state IN ('waiting', 'retrying') THEN 'deferred'
            ELSE i.state END AS outcome,
       i.state = 'synced' AS synced, count(*) AS invoices, sum(i.total) AS money
FROM {invoice_now} i
LEFT JOIN (
    -- What was found without a try of ours was there before: after the loss of a ledger nothing is created by that.
    SELECT h.source_id, max(CASE h.what WHEN 'found' THEN 'created' ELSE h.what END) AS what FROM history h
    WHERE h.connection = $connection AND h.run_id = $run_id AND h.kind = 'invoice'
    AND (h.what IN ('created', 'updated', 'voided') OR (h.what = 'found' AND EXISTS (
        SELECT 1 FROM attempt a JOIN attempt_end e ON e.attempt_id = a.id
        WHERE a.connection = h.connection AND a.kind = 'invoice' AND a.source_id = h.source_id
        AND e.outcome = 'found' AND e.ended_at = h.happened_at
    ))) GROUP BY h.source_id
) AS done ON done.source_id = i.source_id
WHERE i.connection = $connection AND ($everything OR list_contains($ids, i.source_id))
GROUP BY ALL;

-- name: held_in
-- The invoices that wait for a person, largest first.
SELECT source_id, number, cause, facts FROM {invoice_now}
WHERE connection = $connection AND state = 'held' AND ($everything OR list_contains($ids, source_id))
ORDER BY total DESC, source_id;

-- name: book_invoices_numbered
-- The mirror's invoices that carry one of these numbers.
SELECT * FROM book_invoice WHERE connection = $connection AND list_contains($numbers, number);

-- name: book_invoices_marked
-- The mirror's invoices whose address ends with the id of one of these invoices of CrocoClick.
SELECT * FROM book_invoice WHERE connection = $connection AND url <> ''
AND regexp_extract(url, '[^/]+$') IN (SELECT unnest(CAST($source_ids AS VARCHAR[])));

-- name: last_sync
-- The sync that started last.
SELECT * FROM run WHERE connection = $connection AND kind = 'sync' ORDER BY started_at DESC, run_id DESC LIMIT 1;

-- name: last_run
-- The run that started last, of whatever kind.
SELECT * FROM run WHERE connection = $connection ORDER BY started_at DESC, run_id DESC LIMIT 1;

-- name: totals
-- How many invoices there are in all, and when CrocoClick was last read.
SELECT count(*) AS invoices, max(seen_at) AS seen_at FROM invoice WHERE connection = $connection;

-- name: bound
-- How many records of this connection stand in Xero.
SELECT (SELECT count(*) FROM invoice WHERE connection = $connection AND xero_id IS NOT NULL)
     + (SELECT count(*) FROM contact WHERE connection = $connection AND xero_id IS NOT NULL) AS bound;

-- name: payments
-- Every transaction of some invoices, with the Xero payment it became; those too that CrocoClick has moved to another
-- invoice since they went.
SELECT * FROM payment WHERE connection = $connection
AND (list_contains($ids, invoice_id) OR (xero_id IS NOT NULL AND list_contains($xero_ids, xero_invoice_id)));

-- name: payments_by_id
-- Some transactions, with the Xero payment that each became.
SELECT * FROM payment WHERE connection = $connection AND list_contains($ids, source_id);

-- name: paid_beyond
-- Invoices on whose documents more is paid in Xero than the payments come to that are known to be there. Where a payment
-- is still open, the look for that one tells.
SELECT i.source_id FROM invoice i LEFT JOIN (
    SELECT xero_invoice_id, sum(xero_amount) AS amount FROM payment
    WHERE connection = $connection AND xero_id IS NOT NULL GROUP BY xero_invoice_id
) AS p ON p.xero_invoice_id = i.xero_id
WHERE i.connection = $connection AND i.xero_id IS NOT NULL AND i.xero_amount_paid > COALESCE(p.amount, 0)
AND i.open_attempt IS NULL AND NOT EXISTS (
    SELECT 1 FROM payment o WHERE o.connection = i.connection AND o.open_attempt IS NOT NULL
    AND (o.invoice_id = i.source_id OR o.xero_invoice_id = i.xero_id)
);

-- name: paid_unbound
-- How many documents in Xero bear an id of CrocoClick and are paid, and belong to no invoice that is known.
SELECT count(*) AS documents FROM book_invoice b
WHERE b.connection = $connection AND b.amount_paid > 0 AND regexp_matches(b.url, '/[0-9a-f]{24}$')
AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.connection = b.connection AND i.xero_id = b.xero_id);

-- name: paid_now
-- What CrocoClick says is paid on each of its invoices.
SELECT source_id, contact_id, amount_paid FROM invoice WHERE connection = $connection;

-- name: paid_in_run
-- How many invoices received a payment in a run.
SELECT count(DISTINCT source_id) AS invoices FROM history
WHERE connection = $connection AND run_id = $run_id AND kind = 'invoice' AND what = 'paid';

-- name: states
-- The state of every invoice, to tell what a decision changes, and whether a person waits for it.
SELECT source_id, state, cause, facts, asked_at FROM invoice WHERE connection = $connection;

-- name: invoices_with_an_open_try
-- Invoices whose last write has no answer yet.
SELECT source_id FROM invoice WHERE connection = $connection AND open_attempt IS NOT NULL;

-- name: bound_invoices
-- Our invoices by the Xero document they became, with what it last said.
SELECT xero_id, source_id, xero_head, xero_status, xero_amount_paid, xero_amount_due FROM invoice
WHERE connection = $connection AND xero_id IS NOT NULL;

-- name: missing_bound
-- Invoices in Xero that a reading of everything, begun at `since`, did not show; what was seen after `now` was seen by a
-- clock that was ahead.
SELECT source_id FROM invoice WHERE connection = $connection AND xero_id IS NOT NULL
AND (seen_at < $since OR seen_at > $now)
AND NOT COALESCE(gone, false) AND synced_status IS DISTINCT FROM 'void' ORDER BY source_id LIMIT $limit;

-- name: still_open
-- Invoices that may still move, or could not be read, when they were last looked at.
SELECT source_id, cause, changed_at, seen_at FROM invoice WHERE connection = $connection
AND (status IN ('draft', 'sent', 'payment_processing', 'partially_paid', 'unknown') OR cause = 'invoice_unreadable')
AND NOT COALESCE(gone, false) AND cause IS DISTINCT FROM 'deleted_in_crococlick' ORDER BY source_id;

-- name: not_looked_at_since
-- Invoices whose transactions moved after the last look at them, and no longer come to what they said is paid.
SELECT i.source_id FROM invoice i
JOIN payment p ON p.connection = i.connection AND p.invoice_id = i.source_id
WHERE i.connection = $connection AND NOT COALESCE(i.gone, false) AND i.cause IS DISTINCT FROM 'deleted_in_crococlick'
GROUP BY i.source_id, i.seen_at, i.amount_paid
HAVING max(p.seen_at) > i.seen_at
AND i.amount_paid <> COALESCE(sum(p.amount) FILTER (
    p.live AND (starts_with(p.status, 'succeeded') OR contains(p.status, 'refunded'))), 0)
AND i.amount_paid <> COALESCE(sum(p.amount - p.refunded) FILTER (
    p.live AND (starts_with(p.status, 'succeeded') OR contains(p.status, 'refunded'))), 0)
ORDER BY i.source_id LIMIT $limit;

-- name: ended_skips
-- Skips whose last day is over.
SELECT source_id FROM invoice WHERE connection = $connection AND ordered = 'skip'
AND json_extract_string(ordered_said, '$.until') <= $today;

-- name: living
-- How many invoices the last readings of CrocoClick showed.
SELECT count(*) AS invoices FROM invoice WHERE connection = $connection AND NOT COALESCE(gone, false)
AND cause IS DISTINCT FROM 'deleted_in_crococlick';

-- name: order_given
-- When an order to the connection itself was last given.
SELECT max(happened_at) AS at FROM history
WHERE connection = $connection AND kind = 'connection' AND what = $what;

-- name: all_payments
-- Every transaction, to tell what has changed.
SELECT * FROM payment WHERE connection = $connection;

-- name: open_of_contacts
-- The invoices of some customers that are not settled.
SELECT source_id FROM invoice WHERE connection = $connection AND state <> 'synced'
AND list_contains($contacts, contact_id);

-- name: last_order
-- What a person last ordered for an invoice.
SELECT what, facts, by_whom, happened_at FROM history
WHERE connection = $connection AND kind = 'invoice' AND source_id = $source_id AND starts_with(what, 'order_')
AND what <> 'order_retry' ORDER BY id DESC LIMIT 1;

-- name: values_of
-- What a setting was, newest first.
SELECT value, changed_at, changed_by FROM setting WHERE connection = $connection AND key = $key ORDER BY id DESC LIMIT 2;

-- name: source_contacts
-- The mirror of CrocoClick's contacts.
SELECT * FROM source_contact WHERE connection = $connection;

-- name: imported
-- What the last import came to for each Xero contact.
SELECT * FROM contact_import WHERE connection = $connection;

-- name: contact_answers
-- What people said about contacts that may be the same, of either side or by email.
SELECT subject, answer, said FROM contact_answer WHERE connection = $connection
UNION ALL
SELECT source_id, 'apart', '{}' FROM contact WHERE connection = $connection AND apart IS NOT NULL;

-- name: linked_contacts
-- Xero contacts that are linked, as the mirror has them.
SELECT c.source_id, b.xero_id, b.name, b.email, b.status, b.merged_to
FROM contact c JOIN book_contact b ON b.connection = c.connection AND b.xero_id = c.xero_id
WHERE c.connection = $connection;

-- name: open_by_contact
-- What is not settled, by customer and currency: what hangs on the answer about a contact.
SELECT contact_id, currency, count(*) AS invoices, sum(total) AS money, max(issue_date) AS last_issued FROM invoice
WHERE connection = $connection AND state IN ('waiting', 'held', 'retrying', 'in_doubt') GROUP BY contact_id, currency;

-- name: last_invoices
-- How many invoices each customer has in CrocoClick, and the day of the last.
SELECT contact_id, count(*) AS invoices, max(issue_date) AS last_issued FROM invoice
WHERE connection = $connection GROUP BY contact_id;

-- name: book_by_contact
-- How many invoices each Xero contact has, what is due on them by currency, and the day of the last.
SELECT contact_id, currency, count(*) AS invoices, sum(amount_due) AS due, max(issue_date) AS last_issued
FROM book_invoice WHERE connection = $connection AND status NOT IN ('VOIDED', 'DELETED') GROUP BY contact_id, currency;

-- name: import_counts
-- What the last import came to, by outcome and reason.
SELECT outcome, reason, count(*) AS contacts FROM contact_import WHERE connection = $connection
GROUP BY outcome, reason ORDER BY contacts DESC, outcome, reason;

-- name: last_import
-- The import that last ended.
SELECT * FROM run WHERE connection = $connection AND kind = 'import' AND scope = '' AND finished_at IS NOT NULL
ORDER BY started_at DESC LIMIT 1;

-- name: import_rows
-- What became of each Xero contact, those that need a look first; `what` is part of a name or an email.
SELECT i.xero_id, i.outcome, i.reason, i.facts, i.source_id, i.decided_at, b.name, b.email, b.status,
       s.name AS source_name, s.email AS source_email, count(*) OVER () AS total
FROM contact_import i
LEFT JOIN book_contact b ON b.connection = i.connection AND b.xero_id = i.xero_id
LEFT JOIN source_contact s ON s.connection = i.connection AND s.source_id = i.source_id
WHERE i.connection = $connection AND ($outcome = '' OR i.outcome = $outcome) AND ($reason = '' OR i.reason = $reason)
AND ($what = '' OR contains(lower(b.name), lower($what)) OR contains(lower(b.email), lower($what))
     OR contains(lower(s.name), lower($what)) OR contains(lower(s.email), lower($what))
     OR i.xero_id = $what OR i.source_id = $what)
ORDER BY i.outcome <> 'conflict', lower(b.name), i.xero_id LIMIT $limit OFFSET $offset;

-- name: contact_news
-- What others changed of linked contacts in Xero since then, newest first.
SELECT h.source_id, h.what, h.cause, h.facts, h.happened_at, c.name FROM history h
LEFT JOIN contact c ON c.connection = h.connection AND c.source_id = h.source_id
WHERE h.connection = $connection AND h.kind = 'contact' AND h.happened_at >= $since
AND h.what IN ('contact_renamed', 'contact_re_emailed', 'contact_archived', 'contact_restored', 'contact_merged')
ORDER BY h.id DESC LIMIT $limit;

-- name: contact_names
-- What contacts of either side are called.
SELECT xero_id AS id, name FROM book_contact WHERE connection = $connection AND list_contains($ids, xero_id)
UNION ALL
SELECT source_id, name FROM source_contact WHERE connection = $connection AND list_contains($ids, source_id);

-- name: readiness
-- The readiness report that was made last.
SELECT * FROM readiness WHERE connection = $connection ORDER BY position;

-- name: approved_since
-- How many sales invoices that Xero has approved are dated since then.
SELECT count(*) AS invoices FROM book_invoice
WHERE connection = $connection AND status IN ('AUTHORISED', 'PAID') AND issue_date >= $since;

-- name: trial
-- The newest guided test of the set-up.
SELECT * FROM trial WHERE connection = $connection;

-- name: line_taxes
-- Which taxes stand together on the lines of invoices that go over, and on how many lines.
SELECT taxes, count(*) AS lines FROM (
    SELECT CAST(unnest(json_extract(c.content, '$[9][*][3]')) AS VARCHAR) AS taxes
    FROM invoice i JOIN invoice_content c ON c.connection = i.connection AND c.source_id = i.source_id
    WHERE i.connection = $connection AND i.state NOT IN ('not_eligible', 'skipped') AND NOT COALESCE(i.gone, false)
) AS line GROUP BY taxes;

-- name: customers_like
-- The contacts that a person may mean by an id, an email or a name: as invoices name them, and as CrocoClick has them.
SELECT source_id, name, email, company, phone FROM contact WHERE connection = $connection
AND (source_id = $what OR lower(name) = lower($what) OR contains(lower(email), lower($what)))
UNION ALL
SELECT source_id, name, email, company, phone FROM source_contact WHERE connection = $connection
AND (source_id = $what OR lower(name) = lower($what) OR contains(lower(email), lower($what)));

-- name: gone_over
-- How many invoices stand in Xero, one apart.
SELECT count(*) AS invoices FROM invoice WHERE connection = $connection AND xero_id IS NOT NULL AND source_id <> $but;

-- name: import_export
-- What became of each Xero contact, for a file.
SELECT b.name AS xero_name, b.email AS xero_email, i.outcome, i.reason, i.facts, s.name AS crococlick_name,
       s.email AS crococlick_email, i.xero_id, i.source_id AS crococlick_id, i.decided_at
FROM contact_import i
LEFT JOIN book_contact b ON b.connection = i.connection AND b.xero_id = i.xero_id
LEFT JOIN source_contact s ON s.connection = i.connection AND s.source_id = i.source_id
WHERE i.connection = $connection ORDER BY lower(b.name), i.xero_id;

-- name: people
-- Everybody whose rights were named, domains first.
SELECT * FROM person ORDER BY NOT starts_with(who, '@'), who;

-- name: person
-- One person or domain.
SELECT * FROM person WHERE who = $who;

-- name: audit
-- What people did, newest first; what is empty or NULL is not asked for. Who is limited to some connections sees what
-- was done there.
WITH found AS (
    SELECT * FROM audit WHERE ($who = '' OR by_whom = $who) AND ($what = '' OR what = $what)
    AND ($connection = '' OR connection = $connection) AND ($subject = '' OR subject = $subject)
    AND (CAST($since AS TIMESTAMP) IS NULL OR happened_at >= CAST($since AS TIMESTAMP))
    AND (CAST($until AS TIMESTAMP) IS NULL OR happened_at < CAST($until AS TIMESTAMP))
    AND (CAST($visible AS VARCHAR[]) IS NULL OR list_contains(CAST($visible AS VARCHAR[]), connection))
    AND what <> 'signed_out' ORDER BY id DESC LIMIT $limit
)
SELECT f.*, COALESCE(i.number, c.name, b.name, '') AS name, i.source_id IS NOT NULL AS is_invoice FROM found f
LEFT JOIN invoice i ON i.connection = f.connection AND i.source_id = f.subject
LEFT JOIN contact c ON c.connection = f.connection AND c.source_id = f.subject
LEFT JOIN book_contact b ON b.connection = f.connection AND b.xero_id = f.subject
ORDER BY f.id DESC;

-- name: audit_choices
-- Who did anything, and what.
SELECT DISTINCT by_whom, what FROM audit WHERE what <> 'signed_out';

-- name: signed_out
-- Whether a sign-in was ended by its person.
SELECT 1 AS ended FROM audit WHERE what = 'signed_out' AND subject = $mark AND happened_at >= $since LIMIT 1;

-- name: standing_invoices
-- How some invoices stand, for the audit trail.
SELECT source_id, state, cause, ordered FROM invoice
WHERE connection = $connection AND list_contains($ids, source_id);

-- name: standing_contacts
-- How some contacts stand, for the audit trail.
SELECT source_id, xero_id, link, apart FROM contact
WHERE connection = $connection AND list_contains($ids, source_id);

-- name: standing_answers
-- What was said of some contacts, for the audit trail.
SELECT subject AS source_id, answer FROM contact_answer
WHERE connection = $connection AND list_contains($ids, subject);

-- name: closing_invoices
-- What a comparison of the books asks of every invoice that is known: its binding, and why it is where it is.
SELECT source_id, number, status, live, currency, issue_date, contact_id, xero_id, gone, state, cause, facts
FROM {invoice_now} WHERE connection = $connection;

-- name: closing_payments
-- The Xero payment of each transaction that went, and the day with which it went.
SELECT source_id, xero_id, xero_paid_on FROM payment WHERE connection = $connection AND xero_id IS NOT NULL;

-- name: held_by_cause
-- What needs a person for a reason of its own, by cause and currency; what only waits behind an obstacle is left out.
SELECT cause, currency, count(*) AS invoices, sum(total) AS money FROM invoice
WHERE connection = $connection AND state = 'held' AND cause IS NOT NULL GROUP BY cause, currency;

-- name: last_end
-- When a sync last came to its end; where none did, when the first of everything began; none before that.
SELECT COALESCE(max(finished_at) FILTER (WHERE ended = 'done'), min(started_at)) AS at
FROM run WHERE connection = $connection AND kind = 'sync'
HAVING count(*) FILTER (WHERE scope = '') > 0;

-- name: went_over
-- What was created in Xero between two moments, by currency.
SELECT i.currency, count(*) AS invoices, sum(i.total) AS money
FROM attempt_end e JOIN attempt a ON a.id = e.attempt_id
JOIN invoice i ON i.connection = a.connection AND i.source_id = a.source_id
WHERE e.connection = $connection AND a.kind = 'invoice' AND e.ended_at >= $begin AND e.ended_at < $end
AND e.outcome IN ('created', 'found') GROUP BY i.currency;

-- name: notice_told
-- What an address knows.
SELECT told FROM notice WHERE connection = $connection AND channel = $channel ORDER BY id DESC LIMIT 1;

-- name: notices_sent
-- What was sent, newest first.
SELECT * FROM notice WHERE connection = $connection AND kind <> '' ORDER BY id DESC LIMIT $limit;
