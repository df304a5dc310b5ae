-- The queries that others contain, as `{invoice_now}`.

-- name: invoice_now
-- Every invoice of every connection in the state that everybody is shown: where something stands in the way of the whole
-- connection, that is the cause of each invoice that would otherwise go over (`behind` in domain/model/obstacle.py).
SELECT i.* REPLACE (
    COALESCE(o.state, i.state) AS state,
    COALESCE(o.code, CASE WHEN i.state <> 'waiting' THEN i.cause END) AS cause,
    COALESCE(o.facts, CASE WHEN i.state <> 'waiting' THEN i.facts END) AS facts,
    COALESCE(greatest(o.since, i.decided_at), i.decided_at) AS decided_at,
    CASE WHEN o.code IS NULL THEN i.retry_at ELSE o.ends_at END AS retry_at
)
FROM invoice i LEFT JOIN (
    SELECT * FROM obstacle WHERE (connection, place) IN (SELECT connection, min(place) FROM obstacle GROUP BY connection)
) o ON o.connection = i.connection AND i.state IN ('waiting', 'retrying')
AND NOT (i.state = 'retrying' AND COALESCE(i.cause, '') = o.code)
AND (o.issued_before IS NULL OR COALESCE(i.issue_date < o.issued_before, false));

-- name: haystack
-- What a search looks through, without accents, case and signs: `names` are words between blanks, with chr(1) between
-- two names; `code` is the number without gaps, with 0 for the letter O.
SELECT i.source_id, i.number, i.issue_date, i.total, i.amount_due,
       ' ' || trim(regexp_replace(replace(replace(strip_accents(lower(concat_ws(' ' || chr(1) || ' ', i.contact_name, i.contact_email, s.name, s.company, b.name))), 'œ', 'oe'), 'ß', 'ss'), '[^\p{L}\p{N}\x01]+', ' ', 'g')) || ' ' AS names,
       translate(regexp_replace(strip_accents(lower(i.number)), '[^\p{L}\p{N}]+', '', 'g'), 'o', '0') AS code
FROM invoice i
LEFT JOIN source_contact s ON s.connection = i.connection AND s.source_id = i.contact_id
LEFT JOIN contact c ON c.connection = i.connection AND c.source_id = i.contact_id
LEFT JOIN book_contact b ON b.connection = i.connection AND b.xero_id = c.xero_id
WHERE i.connection = $connection;
