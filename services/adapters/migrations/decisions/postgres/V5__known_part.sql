-- Parts of invoices in several parts that came in a decided message, whatever became of it: what a later part asks for.
CREATE TABLE known_part (
    payee TEXT NOT NULL,
    invoice_number TEXT NOT NULL,
    part BIGINT NOT NULL,
    known_on DATE NOT NULL,
    PRIMARY KEY (payee, invoice_number, part)
);
