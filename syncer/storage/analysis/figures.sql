-- What reports count, out of the analysis tables. `part` is the day on which the day, week or month of a moment begins in
-- the reader's time zone (counting.py makes it); $since and $until are the instants between which a period lies, $first
-- and $last its days. Money is never added across currencies.

-- name: connections
-- Whose rows there are.
SELECT DISTINCT connection FROM (
    SELECT connection FROM invoices UNION ALL SELECT connection FROM runs UNION ALL SELECT connection FROM calls
) ORDER BY connection;

-- name: size
-- Whether there is anything to report about, and since when.
SELECT count(*) AS invoices, CAST(min(first_seen_at) AS DATE) AS since FROM invoices
WHERE list_contains($connections, connection);

-- name: moved
-- What went over: invoices with the totals that were sent, payments with their amounts.
SELECT part(ended_at) AS starts,
       CASE WHEN kind = 'payment' THEN 'paid' WHEN action = 'create' THEN 'created'
            WHEN action IN ('void', 'delete') THEN 'voided' ELSE 'updated' END AS what,
       currency, count(*) AS records, sum(amount) AS money
FROM attempts
WHERE ended_at >= $since AND ended_at < $until AND list_contains($connections, connection)
AND kind IN ('invoice', 'payment') AND outcome IN ('created', 'updated', 'voided', 'paid', 'found')
AND invoice_id IS NOT NULL
GROUP BY ALL ORDER BY ALL;

-- name: arrived
-- Invoices that came to Xero, and those that did at the first try.
SELECT part(arrived_at) AS starts, currency, count(*) AS invoices, sum(total) AS money,
       count(*) FILTER (WHERE at_first_try) AS first_try,
       COALESCE(sum(total) FILTER (WHERE at_first_try), 0) AS first_try_money
FROM arrivals
WHERE arrived_at >= $since AND arrived_at < $until AND list_contains($connections, connection)
GROUP BY ALL ORDER BY ALL;

-- name: took
-- How long invoices took from first sight to Xero.
SELECT part(arrived_at) AS starts, count(*) AS invoices, quantile_disc(seconds, 0.5) AS median,
       quantile_disc(seconds, 0.95) AS p95
FROM arrivals
WHERE arrived_at >= $since AND arrived_at < $until AND list_contains($connections, connection)
GROUP BY ALL ORDER BY ALL;

-- name: took_in_all
-- The same of the whole period.
SELECT count(*) AS invoices, count(*) FILTER (WHERE at_first_try) AS first_try, quantile_disc(seconds, 0.5) AS median,
       quantile_disc(seconds, 0.95) AS p95
FROM arrivals
WHERE arrived_at >= $since AND arrived_at < $until AND list_contains($connections, connection);

-- name: stopped
-- Why invoices did not go: each once for a cause and a part of the period, in which it was found.
WITH once AS (
    SELECT DISTINCT part(happened_at) AS starts, cause, connection, crococlick_id FROM problems
    WHERE happened_at >= $since AND happened_at < $until AND list_contains($connections, connection)
)
SELECT o.starts, o.cause, i.currency, count(*) AS invoices, sum(i.total) AS money
FROM once o JOIN invoices i ON i.connection = o.connection AND i.crococlick_id = o.crococlick_id
GROUP BY ALL ORDER BY ALL;

-- name: needed_somebody
-- Invoices that came to need a person, each once for the whole period; $healing are the causes that heal by themselves.
WITH once AS (
    SELECT DISTINCT connection, crococlick_id FROM problems
    WHERE happened_at >= $since AND happened_at < $until AND list_contains($connections, connection)
    AND what IN ('held', 'refused', 'payment_refused', 'removal_refused') AND NOT list_contains($healing, cause)
)
SELECT i.currency, count(*) AS invoices, sum(i.total) AS money
FROM once o JOIN invoices i ON i.connection = o.connection AND i.crococlick_id = o.crococlick_id
GROUP BY ALL ORDER BY ALL;

-- name: called
-- Calls and bytes. What Xero allowed is, for each organisation and day, the calls made and the least that it said was
-- left; a day on which it said nothing counts for nothing.
WITH daily AS (
    SELECT CAST(here(made_at) AS DATE) AS day, min(made_at) AS first_at, connection,
           count(*) FILTER (WHERE side = 'xero') AS xero, count(*) FILTER (WHERE side = 'crococlick') AS crococlick,
           count(*) FILTER (WHERE side = 'xero_login') AS login,
           count(*) FILTER (WHERE status IS NULL OR status >= 400) AS failed,
           COALESCE(sum(bytes_sent) FILTER (WHERE side = 'xero'), 0) AS xero_sent,
           COALESCE(sum(bytes_received) FILTER (WHERE side = 'xero'), 0) AS xero_received,
           COALESCE(sum(bytes_sent) FILTER (WHERE side = 'crococlick'), 0) AS crococlick_sent,
           COALESCE(sum(bytes_received) FILTER (WHERE side = 'crococlick'), 0) AS crococlick_received,
           min(day_left) FILTER (WHERE side = 'xero') AS least_left
    FROM calls
    WHERE made_at >= $since AND made_at < $until AND list_contains($connections, connection)
    GROUP BY day, connection
)
SELECT part(first_at) AS starts, CAST(sum(xero) AS BIGINT) AS xero, CAST(sum(xero + least_left) AS BIGINT) AS allowed,
       CAST(sum(xero) FILTER (WHERE least_left IS NOT NULL) AS BIGINT) AS xero_where_told,
       CAST(sum(crococlick) AS BIGINT) AS crococlick, CAST(sum(login) AS BIGINT) AS login,
       CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(xero_sent) AS BIGINT) AS xero_sent,
       CAST(sum(xero_received) AS BIGINT) AS xero_received, CAST(sum(crococlick_sent) AS BIGINT) AS crococlick_sent,
       CAST(sum(crococlick_received) AS BIGINT) AS crococlick_received
FROM daily GROUP BY ALL ORDER BY ALL;

-- name: issued
-- Invoices issued in the period (days of the location), by currency, status and how they stand.
SELECT currency, status, state, count(*) AS invoices, sum(total) AS money FROM invoices
WHERE issue_date BETWEEN $first AND $last AND list_contains($connections, connection)
GROUP BY ALL ORDER BY ALL;

-- name: taxed
-- Their lines by the taxes on them: an invoice has one row for each combination of taxes.
SELECT tax, rate, prices_include_tax, currency, count(*) AS invoices, CAST(sum(lines) AS BIGINT) AS lines,
       sum(amount) AS money
FROM taxes WHERE issue_date BETWEEN $first AND $last AND list_contains($connections, connection)
GROUP BY ALL ORDER BY invoices DESC, tax, rate, prices_include_tax, currency;
