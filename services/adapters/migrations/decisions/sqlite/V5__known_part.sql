-- Parts of invoices in several parts that came in a decided message, whatever became of it: what a later part asks for.
CREATE TABLE known_part (
    payee TEXT NOT NULL,
    invoice_number TEXT NOT NULL,
    part INTEGER NOT NULL,
    known_on TEXT NOT NULL,
    PRIMARY KEY (payee, invoice_number, part)
) STRICT, WITHOUT ROWID;
