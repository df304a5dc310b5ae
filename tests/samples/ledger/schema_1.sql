-- The ledger, version 1. One SQL for a DuckDB file today and PostgreSQL later: keys are made by the application,
-- no RETURNING, triggers or enums. Times are UTC. Small tables have keys; the big ones (attempt, attempt_end, call,
-- history, invoice_content) have none and, but for invoice_content, are append-only in the order of `id`.

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
    kind VARCHAR NOT NULL,               -- sync
    scope VARCHAR NOT NULL,              -- '' for everything, else what was asked for
    asked_by VARCHAR NOT NULL,
    pid INTEGER NOT NULL,
    started_at TIMESTAMP NOT NULL,
    heard_at TIMESTAMP NOT NULL,         -- last sign of life
    finished_at TIMESTAMP,
    ended VARCHAR,                       -- done, deferred, stopped, failed
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
    PRIMARY KEY (connection, source_id)
);

-- The canonical content of each invoice, apart because it is large: replaced when the fingerprint moves.
CREATE TABLE invoice_content (
    connection VARCHAR NOT NULL, source_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, content VARCHAR NOT NULL
);

-- The present of each CrocoClick contact that an invoice names, and its binding to a Xero contact.
CREATE TABLE contact (
    connection VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    company VARCHAR NOT NULL,
    phone VARCHAR NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    xero_id VARCHAR,
    link VARCHAR,                        -- number, email, created, person
    linked_at TIMESTAMP,
    cause VARCHAR,
    facts VARCHAR,
    open_attempt BIGINT,
    tries INTEGER NOT NULL DEFAULT 0,
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
    PRIMARY KEY (connection, source_id)
);

-- One try for one record: written before the call leaves, and never edited.
CREATE TABLE attempt (
    id BIGINT NOT NULL,
    connection VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    call_id VARCHAR NOT NULL,            -- the call that carries it, with up to 49 others
    position INTEGER NOT NULL,           -- its place in that call
    kind VARCHAR NOT NULL,               -- invoice, contact, payment
    source_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,             -- create, update, void
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
    outcome VARCHAR NOT NULL,            -- created, updated, voided, found, refused, not_arrived, in_doubt, deferred
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
    side VARCHAR NOT NULL,               -- xero, crococlick, xero_login
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
    what VARCHAR NOT NULL,               -- a word of syncer/words.py
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
    PRIMARY KEY (connection, xero_id)
);

-- The newest verdicts of the readiness checks.
CREATE TABLE readiness (
    connection VARCHAR NOT NULL, code VARCHAR NOT NULL, level VARCHAR NOT NULL, facts VARCHAR NOT NULL,
    invoices INTEGER NOT NULL, checked_at TIMESTAMP NOT NULL, PRIMARY KEY (connection, code)
);
