"""How a ledger of an older version becomes the next. What is written here stays as it is: old ledgers rely on it."""

from collections.abc import Callable, Mapping
from typing import Any

# SQL, or what is done with the transaction (`store.Tx`). The key is the version that it comes to.
Step = str | Callable[[Any], None]
MIGRATIONS: Mapping[int, Step] = {
    # Orders, and what both sides agreed on.
    2: """
        ALTER TABLE invoice ADD COLUMN synced_frozen VARCHAR;
        ALTER TABLE invoice ADD COLUMN xero_head VARCHAR;
        ALTER TABLE invoice ADD COLUMN agreed VARCHAR;
        ALTER TABLE invoice ADD COLUMN gone BOOLEAN;
        ALTER TABLE invoice ADD COLUMN ordered VARCHAR;
        ALTER TABLE invoice ADD COLUMN ordered_said VARCHAR;
        ALTER TABLE invoice ADD COLUMN ordered_by VARCHAR;
        ALTER TABLE invoice ADD COLUMN ordered_at TIMESTAMP;
        ALTER TABLE contact ADD COLUMN apart VARCHAR;
        ALTER TABLE payment ADD COLUMN counted BOOLEAN;
        ALTER TABLE book_invoice ADD COLUMN due_date DATE;
    """,
    # Contacts of both sides, their import, the readiness checks and the guided test.
    3: """
        ALTER TABLE book_contact ADD COLUMN first_name VARCHAR;
        ALTER TABLE book_contact ADD COLUMN last_name VARCHAR;
        ALTER TABLE book_contact ADD COLUMN address VARCHAR;
        ALTER TABLE book_contact ADD COLUMN is_customer BOOLEAN;
        ALTER TABLE book_contact ADD COLUMN is_supplier BOOLEAN;
        DELETE FROM watermark WHERE name = 'xero_contacts';
        CREATE TABLE source_contact (
            connection VARCHAR NOT NULL,
            source_id VARCHAR NOT NULL,
            name VARCHAR NOT NULL,
            first_name VARCHAR NOT NULL,
            last_name VARCHAR NOT NULL,
            email VARCHAR NOT NULL,
            company VARCHAR NOT NULL,
            phone VARCHAR NOT NULL,
            address VARCHAR NOT NULL,
            source VARCHAR NOT NULL,
            updated_at TIMESTAMP,
            seen_at TIMESTAMP NOT NULL,
            PRIMARY KEY (connection, source_id)
        );
        CREATE TABLE contact_import (
            connection VARCHAR NOT NULL,
            xero_id VARCHAR NOT NULL,
            outcome VARCHAR NOT NULL,
            reason VARCHAR NOT NULL,
            facts VARCHAR NOT NULL,
            source_id VARCHAR,
            run_id VARCHAR NOT NULL,
            decided_at TIMESTAMP NOT NULL,
            PRIMARY KEY (connection, xero_id)
        );
        CREATE TABLE contact_answer (
            connection VARCHAR NOT NULL,
            subject VARCHAR NOT NULL,
            answer VARCHAR NOT NULL,
            said VARCHAR NOT NULL,
            by_whom VARCHAR NOT NULL,
            given_at TIMESTAMP NOT NULL,
            PRIMARY KEY (connection, subject)
        );
        CREATE TABLE trial (
            connection VARCHAR PRIMARY KEY,
            trial_id VARCHAR NOT NULL,
            source_id VARCHAR,
            number VARCHAR,
            is_ours BOOLEAN NOT NULL,
            step VARCHAR NOT NULL,
            ok BOOLEAN,
            checks VARCHAR NOT NULL,
            begun_at TIMESTAMP NOT NULL,
            changed_at TIMESTAMP NOT NULL,
            by_whom VARCHAR NOT NULL
        );
        DROP TABLE readiness;
        CREATE TABLE readiness (
            connection VARCHAR NOT NULL,
            position INTEGER NOT NULL,
            code VARCHAR NOT NULL,
            subject VARCHAR NOT NULL,
            level VARCHAR NOT NULL,
            facts VARCHAR NOT NULL,
            invoices INTEGER NOT NULL,
            money VARCHAR NOT NULL,
            checked_at TIMESTAMP NOT NULL,
            PRIMARY KEY (connection, code, subject)
        );
    """,
    # Events of CrocoClick, people and their rights, the audit trail, saved questions.
    4: """
        CREATE TABLE webhook (
            webhook_id VARCHAR PRIMARY KEY,
            connection VARCHAR NOT NULL,
            kind VARCHAR NOT NULL,
            subject VARCHAR NOT NULL,
            sent_at TIMESTAMP,
            received_at TIMESTAMP NOT NULL,
            taken_at TIMESTAMP NOT NULL
        );
        CREATE TABLE person (
            who VARCHAR PRIMARY KEY,
            role VARCHAR NOT NULL,
            connections VARCHAR,
            changed_at TIMESTAMP NOT NULL,
            changed_by VARCHAR NOT NULL
        );
        CREATE TABLE audit (
            id BIGINT NOT NULL,
            connection VARCHAR NOT NULL,
            happened_at TIMESTAMP NOT NULL,
            by_whom VARCHAR NOT NULL,
            what VARCHAR NOT NULL,
            subject VARCHAR NOT NULL,
            before VARCHAR,
            after VARCHAR
        );
        CREATE TABLE question (
            question_id VARCHAR PRIMARY KEY,
            title VARCHAR NOT NULL,
            sentence VARCHAR NOT NULL,
            sql VARCHAR NOT NULL,
            parameters VARCHAR NOT NULL,
            chart VARCHAR NOT NULL,
            made_by VARCHAR NOT NULL,
            changed_at TIMESTAMP NOT NULL,
            changed_by VARCHAR NOT NULL
        );
    """,
    # Payments as Xero got them: what is paid there otherwise than in CrocoClick is decided anew. What stands in the way
    # of a whole connection, and which invoices a person asked for. DuckDB takes no ALTER of a table
    # after an UPDATE of it in the same transaction.
    5: """
        ALTER TABLE invoice ADD COLUMN xero_read_at TIMESTAMP;
        ALTER TABLE invoice ADD COLUMN xero_others VARCHAR;
        ALTER TABLE invoice ADD COLUMN asked_at TIMESTAMP;
        ALTER TABLE payment ADD COLUMN xero_amount DECIMAL(24, 6);
        ALTER TABLE payment ADD COLUMN xero_paid_on DATE;
        ALTER TABLE payment ADD COLUMN xero_invoice_id VARCHAR;
        UPDATE payment SET xero_amount = amount, xero_paid_on = paid_on, xero_invoice_id = (
            SELECT i.xero_id FROM invoice i
            WHERE i.connection = payment.connection AND i.source_id = payment.invoice_id
        ) WHERE xero_id IS NOT NULL;
        UPDATE invoice SET state = 'waiting' WHERE state = 'synced' AND xero_amount_paid <> amount_paid;
        CREATE TABLE obstacle (
            connection VARCHAR NOT NULL,
            side VARCHAR NOT NULL,
            code VARCHAR NOT NULL,
            facts VARCHAR NOT NULL,
            state VARCHAR NOT NULL,
            place INTEGER NOT NULL,
            since TIMESTAMP NOT NULL,
            ends_at TIMESTAMP,
            issued_before DATE,
            PRIMARY KEY (connection, side)
        );
    """,
    # Notices: what each address was told.
    6: """
        CREATE TABLE notice (
            id BIGINT NOT NULL,
            connection VARCHAR NOT NULL,
            channel VARCHAR NOT NULL,
            told VARCHAR NOT NULL,
            kind VARCHAR NOT NULL,
            title VARCHAR NOT NULL,
            text VARCHAR NOT NULL,
            sent_at TIMESTAMP NOT NULL
        );
    """,
}
