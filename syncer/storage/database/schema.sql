-- The ledger, version 6. One SQL for a DuckDB file today and PostgreSQL later: keys are made by the application,
-- no RETURNING, triggers or enums. Times are UTC. Small tables have keys; the big ones (attempt, attempt_end, call,
-- history, audit, notice, invoice_content) have none and, but for invoice_content, are append-only in the order of `id`.

CREATE TABLE ledger (schema_version INTEGER NOT NULL, created_at TIMESTAMP NOT NULL);

-- One CrocoClick location ↔ one Xero organisation.
CREATE TABLE connection (
    connection VARCHAR PRIMARY KEY,
    location_id VARCHAR,
    location_name VARCHAR,
    timezone VARCHAR,
    organisation_id VARCHAR,
    organisation_name VARCHAR,
    country VARCHAR,
    base_currency VARCHAR,
    plan VARCHAR,
    short_code VARCHAR,
    state VARCHAR NOT NULL,              -- connected, not_connected, consent_revoked, scope_missing, wrong_organisation
    source_state VARCHAR NOT NULL,       -- connected, token_refused, scope_missing, wrong_location
    connected_at TIMESTAMP,
    changed_at TIMESTAMP NOT NULL
);

-- Every change of a setting; the newest row of a key is in force, a NULL value means the default again.
CREATE TABLE setting (
    id BIGINT NOT NULL, connection VARCHAR NOT NULL, key VARCHAR NOT NULL, value VARCHAR,
    changed_at TIMESTAMP NOT NULL, changed_by VARCHAR NOT NULL
);

-- One pass; its row is kept current while it works, so that a screen can watch it.
CREATE TABLE run (
    run_id VARCHAR PRIMARY KEY,
    connection VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,               -- sync, import
    scope VARCHAR NOT NULL,              -- '' for everything, else what was asked for
    asked_by VARCHAR NOT NULL,
    pid INTEGER NOT NULL,
    started_at TIMESTAMP NOT NULL,
    heard_at TIMESTAMP NOT NULL,         -- last sign of life
    finished_at TIMESTAMP,
    ended VARCHAR,                       -- done, deferred, stopped, made_way, interrupted, failed
    cause VARCHAR,                       -- why it ended early
    phase VARCHAR NOT NULL,              -- settling, reading, planning, contacts, invoices, done
    done INTEGER NOT NULL,
    todo INTEGER NOT NULL,
    result VARCHAR NOT NULL              -- JSON: outcomes, money, calls
);

-- How far we have surely read, and when a mirror was last brought up to date.
CREATE TABLE watermark (
    connection VARCHAR NOT NULL, name VARCHAR NOT NULL, reached_at TIMESTAMP NOT NULL, PRIMARY KEY (connection, name)
);

-- The present of each CrocoClick invoice: what we saw, what we decided, what stands in Xero.
CREATE TABLE invoice (
    connection VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    live BOOLEAN NOT NULL,
    currency VARCHAR NOT NULL,
    total DECIMAL(24, 6) NOT NULL,
    tax DECIMAL(24, 6),
    amount_paid DECIMAL(24, 6) NOT NULL,
    amount_due DECIMAL(24, 6) NOT NULL,
    issue_date DATE,
    due_date DATE,
    contact_id VARCHAR NOT NULL,
    contact_name VARCHAR NOT NULL,
    contact_email VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,        -- of the content now in CrocoClick
    first_seen_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL,       -- when we last saw it differ from before
    seen_at TIMESTAMP NOT NULL,
    state VARCHAR NOT NULL,              -- contract.md, "State of an invoice"
    cause VARCHAR,
    facts VARCHAR,                       -- JSON of the cause
    decided_at TIMESTAMP NOT NULL,       -- since when it is in this state for this cause
    tried_at TIMESTAMP,
    retry_at TIMESTAMP,
    tries INTEGER NOT NULL,
    open_attempt BIGINT,                 -- at most one
    xero_id VARCHAR,
    xero_number VARCHAR,
    xero_status VARCHAR,
    xero_total DECIMAL(24, 6),
    xero_tax DECIMAL(24, 6),
    xero_amount_due DECIMAL(24, 6),
    xero_amount_paid DECIMAL(24, 6),
    refused_stamp VARCHAR,               -- what Xero's refusal depended on; the same is not sent again while it holds
    synced_fingerprint VARCHAR,          -- of the content that Xero has
    synced_status VARCHAR,               -- CrocoClick's status when Xero last got it
    synced_at TIMESTAMP,
    synced_frozen VARCHAR,               -- of the part of that content that a payment freezes
    xero_head VARCHAR,                   -- JSON: what the Xero invoice says now (number, contact, dates, amounts)
    agreed VARCHAR,                      -- JSON: what it said when both sides last agreed
    gone BOOLEAN,                        -- CrocoClick has it no more
    ordered VARCHAR,                     -- a person's order that still stands
    ordered_said VARCHAR,                -- JSON: the values given with it
    ordered_by VARCHAR,
    ordered_at TIMESTAMP,
    xero_read_at TIMESTAMP,              -- when Xero last answered what the document says and what is paid on it
    xero_others VARCHAR,                 -- JSON: what is paid there beyond our payments, and the payments it comes from
    asked_at TIMESTAMP,                  -- when a person last asked for it; NULL once a run has been through
    PRIMARY KEY (connection, source_id)
);

-- What stands in the way of every invoice of a connection now, one row for each side. Its effect on the state of each
-- invoice is the named query `invoice_now`.
CREATE TABLE obstacle (
    connection VARCHAR NOT NULL,
    side VARCHAR NOT NULL,               -- xero, crococlick, person
    code VARCHAR NOT NULL,               -- a cause
    facts VARCHAR NOT NULL,              -- JSON of the cause
    state VARCHAR NOT NULL,              -- what it makes of an invoice that would go over: held, retrying
    place INTEGER NOT NULL,              -- the row with the smallest is shown
    since TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,                   -- when it is over by itself, where that is known
    issued_before DATE,                  -- it concerns only invoices that were issued before this day
    PRIMARY KEY (connection, side)
);

-- The canonical content of each invoice, apart because it is large: replaced when the fingerprint moves.
CREATE TABLE invoice_content (
    connection VARCHAR NOT NULL, source_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, content VARCHAR NOT NULL
);

-- The present of each CrocoClick contact that an invoice names or that is linked, and its binding to a Xero contact.
CREATE TABLE contact (
    connection VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    company VARCHAR NOT NULL,
    phone VARCHAR NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    xero_id VARCHAR,
    link VARCHAR,                        -- number, email, created (in Xero), imported (from Xero), person
    linked_at TIMESTAMP,
    cause VARCHAR,
    facts VARCHAR,
    open_attempt BIGINT,
    tries INTEGER NOT NULL DEFAULT 0,
    apart VARCHAR,                       -- a person keeps it apart: the name it gets in Xero, '' for its own
    PRIMARY KEY (connection, source_id)
);

-- The present of each CrocoClick transaction of an invoice, and the Xero payment it became.
CREATE TABLE payment (
    connection VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    invoice_id VARCHAR NOT NULL,         -- CrocoClick's
    amount DECIMAL(24, 6) NOT NULL,
    currency VARCHAR NOT NULL,
    paid_on DATE,
    status VARCHAR NOT NULL,
    refunded DECIMAL(24, 6) NOT NULL,
    live BOOLEAN NOT NULL,
    method VARCHAR NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    xero_id VARCHAR,
    carried_at TIMESTAMP,
    open_attempt BIGINT,
    tries INTEGER NOT NULL DEFAULT 0,
    counted BOOLEAN,                     -- somebody else entered it in Xero, and a person said it is the same
    xero_amount DECIMAL(24, 6),          -- as Xero got it: CrocoClick may change it since
    xero_paid_on DATE,
    xero_invoice_id VARCHAR,             -- the InvoiceID that it is on
    PRIMARY KEY (connection, source_id)
);

-- One try for one record: written before the call leaves, and never edited.
CREATE TABLE attempt (
    id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    call_id VARCHAR NOT NULL,            -- the call that carries it, with up to 49 others
    position INTEGER NOT NULL,           -- its place in that call
    kind VARCHAR NOT NULL,               -- invoice, contact, payment, unpay, tax_rate, currency
    source_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,             -- create, update, amend, void, delete
    number VARCHAR NOT NULL,
    idempotency_key VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    expected VARCHAR NOT NULL,           -- JSON: what Xero must come to
    begun_at TIMESTAMP NOT NULL
);

-- How a try ended; an attempt without one is open, and is settled by looking in Xero.
CREATE TABLE attempt_end (
    id BIGINT NOT NULL,
    attempt_id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,            -- created, updated, voided, paid, removed, found, refused, not_arrived, deferred
    cause VARCHAR,
    facts VARCHAR,
    xero_id VARCHAR,
    ended_at TIMESTAMP NOT NULL
);

-- One row per HTTP call.
CREATE TABLE call (
    id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    call_id VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    side VARCHAR NOT NULL,               -- xero, crococlick, identity (Xero's login)
    method VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    status INTEGER,
    ms INTEGER NOT NULL,
    bytes_sent BIGINT NOT NULL,
    bytes_received BIGINT NOT NULL,
    minute_left INTEGER,
    day_left INTEGER,
    correlation_id VARCHAR NOT NULL,
    idempotency_key VARCHAR NOT NULL,
    failure VARCHAR NOT NULL
);

-- What a person reads as the story of one record: each row a change of state or something that was seen or ordered.
CREATE TABLE history (
    id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,               -- invoice, contact, connection
    source_id VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    what VARCHAR NOT NULL,               -- a word of syncer/messages/problems.py
    cause VARCHAR,
    facts VARCHAR,
    by_whom VARCHAR NOT NULL
);

-- The organisation's settings as last read (JSON).
CREATE TABLE books (connection VARCHAR PRIMARY KEY, read_at TIMESTAMP NOT NULL, content VARCHAR NOT NULL);

-- The mirror of Xero's contacts.
CREATE TABLE book_contact (
    connection VARCHAR NOT NULL,
    xero_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    merged_to VARCHAR NOT NULL,
    phone VARCHAR NOT NULL,
    updated_at TIMESTAMP,
    first_name VARCHAR,
    last_name VARCHAR,
    address VARCHAR,                     -- JSON
    is_customer BOOLEAN,
    is_supplier BOOLEAN,
    PRIMARY KEY (connection, xero_id)
);

-- The mirror of Xero's sales invoices: their heads.
CREATE TABLE book_invoice (
    connection VARCHAR NOT NULL,
    xero_id VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    total DECIMAL(24, 6) NOT NULL,
    total_tax DECIMAL(24, 6) NOT NULL,
    amount_due DECIMAL(24, 6) NOT NULL,
    amount_paid DECIMAL(24, 6) NOT NULL,
    url VARCHAR NOT NULL,
    contact_id VARCHAR NOT NULL,
    issue_date DATE,
    updated_at TIMESTAMP,
    due_date DATE,
    PRIMARY KEY (connection, xero_id)
);

-- The mirror of CrocoClick's contacts.
CREATE TABLE source_contact (
    connection VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    first_name VARCHAR NOT NULL,
    last_name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,              -- as typed; further addresses after it, parted by commas
    company VARCHAR NOT NULL,
    phone VARCHAR NOT NULL,
    address VARCHAR NOT NULL,            -- JSON
    source VARCHAR NOT NULL,             -- where it came from; `Xero <ContactID>` where we made it
    updated_at TIMESTAMP,
    seen_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection, source_id)
);

-- What the last import came to for each Xero contact.
CREATE TABLE contact_import (
    connection VARCHAR NOT NULL,
    xero_id VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,            -- created, linked, unchanged, updated, conflict, left_out
    reason VARCHAR NOT NULL,             -- a word of syncer/messages/contacts.py
    facts VARCHAR NOT NULL,              -- JSON
    source_id VARCHAR,                   -- the CrocoClick contact
    run_id VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,       -- since when it is so
    PRIMARY KEY (connection, xero_id)
);

-- What a person said about contacts that may be the same, and that still stands.
CREATE TABLE contact_answer (
    connection VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,            -- a Xero contact, or the email of a group
    answer VARCHAR NOT NULL,             -- apart, ignore, chosen
    said VARCHAR NOT NULL,               -- JSON
    by_whom VARCHAR NOT NULL,
    given_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection, subject)
);

-- The newest verdicts of the readiness checks.
CREATE TABLE readiness (
    connection VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    code VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,            -- which tax, currency, account …; empty where there is but one
    level VARCHAR NOT NULL,              -- pass, warn, fail, unknown
    facts VARCHAR NOT NULL,              -- JSON
    invoices INTEGER NOT NULL,
    money VARCHAR NOT NULL,              -- JSON: by currency
    checked_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection, code, subject)
);

-- The guided test of the set-up: each connection's newest, kept step by step, so that one that was stopped is finished.
CREATE TABLE trial (
    connection VARCHAR PRIMARY KEY,
    trial_id VARCHAR NOT NULL,           -- stands in the name of the invoice that the test makes
    source_id VARCHAR,                   -- the CrocoClick invoice
    number VARCHAR,
    is_ours BOOLEAN NOT NULL,            -- made by the test, and voided at its end
    step VARCHAR NOT NULL,               -- making, made, sent, checked, voided, done
    ok BOOLEAN,
    checks VARCHAR NOT NULL,             -- JSON
    begun_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    by_whom VARCHAR NOT NULL
);

-- Events that CrocoClick sent, each once: what they made us look at.
CREATE TABLE webhook (
    webhook_id VARCHAR PRIMARY KEY,      -- CrocoClick's, else a digest of the body
    connection VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,               -- InvoiceSent, ContactUpdate …
    subject VARCHAR NOT NULL,            -- the invoice or contact that it names
    sent_at TIMESTAMP,                   -- as CrocoClick says
    received_at TIMESTAMP NOT NULL,
    taken_at TIMESTAMP NOT NULL          -- when a run was told to look
);

-- Who may do what: an email, or a domain written as '@example.com'.
CREATE TABLE person (
    who VARCHAR PRIMARY KEY,
    role VARCHAR NOT NULL,               -- none (kept out), viewer, operator, admin
    connections VARCHAR,                 -- JSON list of connections; NULL means all
    changed_at TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL
);

-- Everything that people did, each row once and for good: who, when, what, before and after.
CREATE TABLE audit (
    id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,         -- '' where it is about the whole installation
    happened_at TIMESTAMP NOT NULL,
    by_whom VARCHAR NOT NULL,
    what VARCHAR NOT NULL,               -- order_retry, setting_changed, connected, person_changed …
    subject VARCHAR NOT NULL,            -- an invoice, a setting's key, a person …
    before VARCHAR,                      -- JSON
    after VARCHAR                        -- JSON
);

-- Questions that people saved for themselves and others.
CREATE TABLE question (
    question_id VARCHAR PRIMARY KEY,
    title VARCHAR NOT NULL,
    sentence VARCHAR NOT NULL,           -- what it answers
    sql VARCHAR NOT NULL,
    parameters VARCHAR NOT NULL,         -- JSON list: name, kind, default, label
    chart VARCHAR NOT NULL,              -- JSON: kind, x, y, colour; {} for a table alone
    made_by VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL
);

-- What each address was told without asking: its newest row says what it knows.
CREATE TABLE notice (
    id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,            -- the address, masked
    told VARCHAR NOT NULL,               -- JSON: all that it knows since then
    kind VARCHAR NOT NULL,               -- held, connection, stale, daily; '' where nothing was sent
    title VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    sent_at TIMESTAMP NOT NULL
);
