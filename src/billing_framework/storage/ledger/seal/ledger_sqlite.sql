-- The seal of the ledger on SQLite: what the database itself refuses, whoever sends the SQL.
-- Per row there is one lookup only ("is this batch sealed?"); everything else is checked once per batch, as sets, when its
-- header comes. The messages begin with stable codes.

-- Rows -------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER posting_sealed AFTER INSERT ON posting
WHEN EXISTS (SELECT 1 FROM posting_batch WHERE id = NEW.batch_id)
BEGIN SELECT RAISE(ABORT, 'LEDGER01 the batch of this line is sealed'); END;

CREATE TRIGGER entry_sealed AFTER INSERT ON entry
WHEN EXISTS (SELECT 1 FROM posting_batch WHERE id = NEW.batch_id)
BEGIN SELECT RAISE(ABORT, 'LEDGER01 the batch of this entry is sealed'); END;

CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'LEDGER08 postings are append-only'); END;
CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'LEDGER08 postings are append-only'); END;
-- Free text is no part of any digest; it can be erased, not rewritten.
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
WHEN NEW.memo <> '' OR (OLD.batch_id, OLD.id, OLD.month, OLD.book_id, OLD.period_id, OLD.effective_on, OLD.kind, OLD.source,
                        OLD.idempotency_key, OLD.request_digest, coalesce(OLD.reverses_id, -1))
                    <> (NEW.batch_id, NEW.id, NEW.month, NEW.book_id, NEW.period_id, NEW.effective_on, NEW.kind, NEW.source,
                        NEW.idempotency_key, NEW.request_digest, coalesce(NEW.reverses_id, -1))
BEGIN SELECT RAISE(ABORT, 'LEDGER08 entries are append-only; only a memo can be erased'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'LEDGER08 entries are append-only'); END;

-- INSERT OR REPLACE deletes in silence where a foreign program left recursive_triggers off, so unique keys are looked up first.
CREATE TRIGGER entry_key_used BEFORE INSERT ON entry
WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM entry WHERE book_id = NEW.book_id AND idempotency_key = NEW.idempotency_key)
  OR (NEW.reverses_id IS NOT NULL AND EXISTS (SELECT 1 FROM entry WHERE reverses_id = NEW.reverses_id))
BEGIN SELECT RAISE(ABORT, 'LEDGER02 the id, the key or the reversed entry is used already'); END;

-- The seal ---------------------------------------------------------------------------------------------------------------

CREATE TRIGGER posting_batch_seal BEFORE INSERT ON posting_batch
BEGIN
  SELECT RAISE(ABORT, 'LEDGER02 the batch is sealed already') WHERE EXISTS (SELECT 1 FROM posting_batch WHERE id = NEW.id);

  SELECT CASE
    WHEN entries <> NEW.entry_count OR lines <> NEW.posting_count OR entries = 0
      THEN RAISE(ABORT, 'LEDGER12 the header does not count the rows of its batch')
    WHEN short > 0 THEN RAISE(ABORT, 'LEDGER03 an entry has fewer than two lines')
    WHEN unbalanced > 0 THEN RAISE(ABORT, 'LEDGER04 the lines of an entry do not balance per currency')
    WHEN foreigners > 0 THEN RAISE(ABORT, 'LEDGER05 an account is missing or of another book')
    WHEN misplaced > 0 THEN RAISE(ABORT, 'LEDGER12 a line is of another book or month than its entry')
  END
  FROM (
    SELECT count(*) AS entries, coalesce(sum(n), 0) AS lines, sum(n < 2) AS short, sum(rest <> 0) AS unbalanced,
           sum(foreigners) AS foreigners, sum(misplaced) AS misplaced
    FROM (
      -- An entry of one currency is summed in the order of the key; one of several is looked at by currency.
      SELECT count(p.entry_id) AS n,
             CASE WHEN min(p.currency) = max(p.currency) THEN sum(p.amount)
                  ELSE (SELECT count(*) FROM (SELECT 1 FROM posting q WHERE q.batch_id = NEW.id AND q.entry_id = e.id
                                              GROUP BY q.currency HAVING sum(q.amount) <> 0)) END AS rest,
             sum(g.book_id IS NOT NEW.book_id) AS foreigners,
             sum(p.month <> e.month OR p.book_id <> NEW.book_id) AS misplaced
      FROM entry e LEFT JOIN posting p ON p.batch_id = NEW.id AND p.entry_id = e.id
      LEFT JOIN gl_account g ON g.id = p.gl_account_id
      WHERE e.batch_id = NEW.id GROUP BY e.id));

  SELECT RAISE(ABORT, 'LEDGER12 a line or an entry stands alone')
   WHERE (SELECT count(*) FROM posting WHERE batch_id = NEW.id) <> NEW.posting_count
      OR (SELECT count(*) FROM entry WHERE batch_id = NEW.id) <> NEW.entry_count;

  SELECT RAISE(ABORT, 'LEDGER12 an entry is of another book, or its month is not that of its date')
   WHERE EXISTS (SELECT 1 FROM entry WHERE batch_id = NEW.id
                 AND (book_id <> NEW.book_id OR effective_on IS NOT date(effective_on)
                      OR month <> CAST(substr(effective_on, 1, 4) || substr(effective_on, 6, 2) AS INTEGER)));

  SELECT RAISE(ABORT, 'LEDGER06 a period is closed, missing or does not hold the date')
   WHERE EXISTS (SELECT 1 FROM entry e LEFT JOIN period d ON d.id = e.period_id
                 WHERE e.batch_id = NEW.id
                   AND NOT coalesce(d.book_id = NEW.book_id AND d.status = 'open'
                                    AND e.effective_on >= d.starts_on AND e.effective_on < d.ends_before, 0));

  SELECT RAISE(ABORT, 'LEDGER13 a reversal is not the exact mirror of a sealed entry of its book')
   WHERE EXISTS (
     SELECT 1 FROM entry r LEFT JOIN entry o ON o.id = r.reverses_id
     WHERE r.batch_id = NEW.id AND r.reverses_id IS NOT NULL AND (
       o.id IS NULL OR o.id = r.id OR o.book_id <> r.book_id
       OR NOT (o.batch_id = NEW.id OR EXISTS (SELECT 1 FROM posting_batch WHERE id = o.batch_id))
       OR EXISTS (SELECT line, gl_account_id, account_id, sub_key, document_key, currency, amount
                  FROM posting WHERE batch_id = o.batch_id AND entry_id = o.id
                  EXCEPT SELECT line, gl_account_id, account_id, sub_key, document_key, currency, -amount
                  FROM posting WHERE batch_id = r.batch_id AND entry_id = r.id)
       OR (SELECT count(*) FROM posting WHERE batch_id = o.batch_id AND entry_id = o.id)
          <> (SELECT count(*) FROM posting WHERE batch_id = r.batch_id AND entry_id = r.id)));

  -- Guarded balances, as one sum per batch. Two steps, because an upsert tests the CHECK on the bare increment.
  INSERT INTO balance (gl_account_id, account_id, sub_key, currency, floor, amount)
  SELECT DISTINCT p.gl_account_id, p.account_id, p.sub_key, p.currency, g.floor, 0
  FROM posting p JOIN gl_account g ON g.id = p.gl_account_id AND g.floor <> 'none'
  WHERE p.batch_id = NEW.id
  ON CONFLICT DO NOTHING;
  UPDATE balance SET amount = balance.amount + moved.amount
  FROM (SELECT p.gl_account_id, p.account_id, p.sub_key, p.currency, sum(p.amount) AS amount
        FROM posting p JOIN gl_account g ON g.id = p.gl_account_id AND g.floor <> 'none'
        WHERE p.batch_id = NEW.id GROUP BY 1, 2, 3, 4) AS moved
  WHERE balance.gl_account_id = moved.gl_account_id AND balance.account_id = moved.account_id
    AND balance.sub_key = moved.sub_key AND balance.currency = moved.currency;
END;

CREATE TRIGGER posting_batch_no_update BEFORE UPDATE ON posting_batch
BEGIN SELECT RAISE(ABORT, 'LEDGER08 batch headers are append-only'); END;
CREATE TRIGGER posting_batch_no_delete BEFORE DELETE ON posting_batch
BEGIN SELECT RAISE(ABORT, 'LEDGER08 batch headers are append-only'); END;

-- The chain --------------------------------------------------------------------------------------------------------------
-- By induction: seq is unique, and its predecessor must exist with exactly this hash; so there is no gap and no fork.

CREATE TRIGGER batch_chain_link BEFORE INSERT ON batch_chain
BEGIN
  SELECT RAISE(ABORT, 'LEDGER02 the sequence, the batch or the hash is in the chain already')
   WHERE EXISTS (SELECT 1 FROM batch_chain WHERE book_id = NEW.book_id AND seq = NEW.seq)
      OR EXISTS (SELECT 1 FROM batch_chain WHERE batch_id = NEW.batch_id)
      OR EXISTS (SELECT 1 FROM batch_chain WHERE prev_hash = NEW.prev_hash)
      OR EXISTS (SELECT 1 FROM batch_chain WHERE hash = NEW.hash);
  SELECT RAISE(ABORT, 'LEDGER07 the batch before it with this hash is missing')
   WHERE NOT coalesce(CASE NEW.seq
     WHEN 1 THEN (SELECT genesis FROM book WHERE id = NEW.book_id) = NEW.prev_hash
     ELSE EXISTS (SELECT 1 FROM batch_chain WHERE hash = NEW.prev_hash AND book_id = NEW.book_id AND seq = NEW.seq - 1) END, 0);
  SELECT RAISE(ABORT, 'LEDGER07 the batch is of another book, or not sealed')
   WHERE NOT EXISTS (SELECT 1 FROM posting_batch WHERE id = NEW.batch_id AND book_id = NEW.book_id);
END;

CREATE TRIGGER batch_chain_no_update BEFORE UPDATE ON batch_chain
BEGIN SELECT RAISE(ABORT, 'LEDGER08 the chain is append-only'); END;
CREATE TRIGGER batch_chain_no_delete BEFORE DELETE ON batch_chain
BEGIN SELECT RAISE(ABORT, 'LEDGER08 the chain is append-only'); END;

-- Books, accounts, periods, balances -------------------------------------------------------------------------------------

CREATE TRIGGER book_used BEFORE INSERT ON book
WHEN EXISTS (SELECT 1 FROM book WHERE id = NEW.id OR key = NEW.key OR genesis = NEW.genesis)
BEGIN SELECT RAISE(ABORT, 'LEDGER02 the id, key or genesis of the book is used already'); END;
CREATE TRIGGER book_frozen BEFORE UPDATE ON book
WHEN (OLD.id, OLD.key, OLD.currency, OLD.genesis) <> (NEW.id, NEW.key, NEW.currency, NEW.genesis)
BEGIN SELECT RAISE(ABORT, 'LEDGER14 only the name of a book can change'); END;
CREATE TRIGGER book_no_delete BEFORE DELETE ON book BEGIN SELECT RAISE(ABORT, 'LEDGER08 books are never deleted'); END;

CREATE TRIGGER gl_account_used BEFORE INSERT ON gl_account
WHEN EXISTS (SELECT 1 FROM gl_account WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM gl_account WHERE book_id = NEW.book_id AND code = NEW.code)
BEGIN SELECT RAISE(ABORT, 'LEDGER02 the id or code of the account is used already'); END;
CREATE TRIGGER gl_account_frozen BEFORE UPDATE ON gl_account
WHEN (OLD.id, OLD.book_id, OLD.code, OLD.type, OLD.floor, OLD.control_of)
     <> (NEW.id, NEW.book_id, NEW.code, NEW.type, NEW.floor, NEW.control_of)
 AND EXISTS (SELECT 1 FROM posting WHERE gl_account_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'LEDGER14 the account is used; only its name can change'); END;
CREATE TRIGGER gl_account_no_delete BEFORE DELETE ON gl_account
WHEN EXISTS (SELECT 1 FROM posting WHERE gl_account_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'LEDGER14 the account is used and cannot be deleted'); END;

CREATE TRIGGER period_overlap BEFORE INSERT ON period
WHEN EXISTS (SELECT 1 FROM period WHERE id = NEW.id
             OR (book_id = NEW.book_id AND starts_on < NEW.ends_before AND NEW.starts_on < ends_before))
  OR NEW.starts_on IS NOT date(NEW.starts_on) OR NEW.ends_before IS NOT date(NEW.ends_before)
BEGIN SELECT RAISE(ABORT, 'LEDGER15 the period overlaps another of its book, or its dates are none'); END;
CREATE TRIGGER period_closed BEFORE UPDATE ON period WHEN OLD.status = 'closed'
BEGIN SELECT RAISE(ABORT, 'LEDGER09 the period is closed for good'); END;
CREATE TRIGGER period_frozen BEFORE UPDATE ON period
WHEN OLD.status = 'open' AND (OLD.id, OLD.book_id, OLD.starts_on, OLD.ends_before) <> (NEW.id, NEW.book_id, NEW.starts_on, NEW.ends_before)
BEGIN SELECT RAISE(ABORT, 'LEDGER14 the dates of a period cannot change; an unused one can be deleted'); END;
CREATE TRIGGER period_no_delete BEFORE DELETE ON period
WHEN OLD.status = 'closed' OR EXISTS (SELECT 1 FROM entry WHERE period_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'LEDGER14 the period is closed or has entries and cannot be deleted'); END;

CREATE TRIGGER balance_starts_at_zero BEFORE INSERT ON balance
WHEN NEW.amount <> 0
BEGIN SELECT RAISE(ABORT, 'LEDGER08 balances follow from postings alone'); END;
CREATE TRIGGER balance_key_frozen BEFORE UPDATE ON balance
WHEN (OLD.gl_account_id, OLD.account_id, OLD.sub_key, OLD.currency, OLD.floor)
     <> (NEW.gl_account_id, NEW.account_id, NEW.sub_key, NEW.currency, NEW.floor)
BEGIN SELECT RAISE(ABORT, 'LEDGER08 balances follow from postings alone'); END;
CREATE TRIGGER balance_no_delete BEFORE DELETE ON balance
BEGIN SELECT RAISE(ABORT, 'LEDGER08 balances follow from postings alone'); END;
