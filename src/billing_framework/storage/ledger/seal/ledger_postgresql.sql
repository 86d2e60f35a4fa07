-- The seal of the ledger on PostgreSQL: what the database itself refuses, whoever sends the SQL.
-- Nothing is paid per row: each INSERT statement notes the batches that it touched (`batch_note`), and the whole batch is
-- checked as sets when its header comes. The messages begin with stable codes.

-- One note per batch: the transaction that writes it, and what was written. It is the lock that keeps every other transaction
-- out of a batch, from the first row on; no role but the owner has rights on it.
CREATE TABLE batch_note (
  batch_id bigint PRIMARY KEY,
  txid xid8 NOT NULL,
  sealed boolean NOT NULL,
  first_month bigint NOT NULL,
  last_month bigint NOT NULL,
  entries bigint NOT NULL,
  postings bigint NOT NULL
);

CREATE FUNCTION ledger_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  touched bigint;
  noted bigint;
  is_posting int := (TG_ARGV[0] = 'posting')::int;
BEGIN
  WITH written AS (
    SELECT batch_id, min(month) AS first_month, max(month) AS last_month, count(*) AS n FROM new_rows GROUP BY batch_id
  ), note AS (
    INSERT INTO batch_note AS b (batch_id, txid, sealed, first_month, last_month, entries, postings)
    SELECT batch_id, pg_current_xact_id(), false, first_month, last_month, n * (1 - is_posting), n * is_posting
    FROM written ORDER BY batch_id
    ON CONFLICT (batch_id) DO UPDATE SET
      first_month = least(b.first_month, excluded.first_month), last_month = greatest(b.last_month, excluded.last_month),
      entries = b.entries + excluded.entries, postings = b.postings + excluded.postings
    WHERE b.txid = excluded.txid AND NOT b.sealed
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM note) INTO touched, noted;
  IF touched <> noted THEN
    RAISE EXCEPTION 'LEDGER01 the batch of this % is sealed, or belongs to another transaction', TG_ARGV[0];
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER entry_noted AFTER INSERT ON entry REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_note('entry');
CREATE TRIGGER posting_noted AFTER INSERT ON posting REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_note('posting');

-- At COMMIT: whoever wrote rows of a batch must have sealed and linked it.
CREATE FUNCTION ledger_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM batch_note n JOIN batch_chain c ON c.batch_id = n.batch_id WHERE n.batch_id = NEW.batch_id AND n.sealed)
  THEN
    RAISE EXCEPTION 'LEDGER11 batch % has rows but no header and link', NEW.batch_id;
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER batch_note_complete AFTER INSERT ON batch_note DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ledger_complete();

-- The seal. Locks are taken in one order everywhere: periods, then balances by key; the book's lock comes after, with the link.
-- Plans are made anew for each batch, because a plan from the time when the tables were empty would scan them; and by hashing,
-- because the estimates for a batch that has no statistics yet would have its lines sorted.
CREATE FUNCTION ledger_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  SET plan_cache_mode = force_custom_plan SET enable_sort = off AS $$
DECLARE
  note batch_note;
  seen record;
  used record;
  foreigner bigint;
  wrong text;
BEGIN
  UPDATE batch_note SET sealed = true WHERE batch_id = NEW.id AND txid = pg_current_xact_id() AND NOT sealed RETURNING * INTO note;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'LEDGER02 batch % is sealed already, or its rows are not of this transaction', NEW.id;
  END IF;
  IF note.entries <> NEW.entry_count OR note.postings <> NEW.posting_count THEN
    RAISE EXCEPTION 'LEDGER12 the header does not count the rows of its batch: % entries and % lines', note.entries, note.postings;
  END IF;

  -- One pass over the lines by entry, one by account. The months are those that were noted, so that no line hides in another
  -- partition. The chart is asked for every account that occurs, and not for every line.
  SELECT count(*) AS entries, bool_or(e.id IS NULL) AS alone, min(e.id) FILTER (WHERE coalesce(l.lines, 0) < 2) AS short,
         min(e.id) FILTER (WHERE l.unbalanced) AS unbalanced, bool_or(e.reverses_id IS NOT NULL) AS reversing
    INTO seen
    FROM (SELECT id, month, reverses_id FROM entry WHERE batch_id = NEW.id) e
    FULL JOIN (
      SELECT entry_id, month, sum(n) AS lines, bool_or(rest <> 0) AS unbalanced
      FROM (SELECT entry_id, month, count(*) AS n, sum(amount) AS rest
            FROM posting WHERE batch_id = NEW.id AND month BETWEEN note.first_month AND note.last_month
            GROUP BY entry_id, month, currency) c
      GROUP BY entry_id, month) l ON l.entry_id = e.id AND l.month = e.month;
  SELECT bool_or(g.id IS NULL) AS missing, bool_or(g.floor <> 'none') AS guarded
    INTO used
    FROM (SELECT DISTINCT gl_account_id, book_id
          FROM posting WHERE batch_id = NEW.id AND month BETWEEN note.first_month AND note.last_month) p
    LEFT JOIN gl_account g ON g.id = p.gl_account_id AND g.book_id = p.book_id AND g.book_id = NEW.book_id;
  IF seen.entries = 0 OR seen.alone THEN
    RAISE EXCEPTION 'LEDGER12 a line of batch % has no entry of its month, or the batch is empty', NEW.id;
  ELSIF seen.short IS NOT NULL THEN
    RAISE EXCEPTION 'LEDGER03 entry % has fewer than two lines', ledger_entry_key(seen.short);
  ELSIF seen.unbalanced IS NOT NULL THEN
    RAISE EXCEPTION 'LEDGER04 the lines of entry % do not balance per currency', ledger_entry_key(seen.unbalanced);
  ELSIF used.missing THEN
    SELECT min(p.entry_id) INTO foreigner
      FROM posting p LEFT JOIN gl_account g ON g.id = p.gl_account_id AND g.book_id = p.book_id AND g.book_id = NEW.book_id
     WHERE p.batch_id = NEW.id AND p.month BETWEEN note.first_month AND note.last_month AND g.id IS NULL;
    RAISE EXCEPTION 'LEDGER05 entry % uses an account that is missing or of another book', ledger_entry_key(foreigner);
  END IF;

  -- The closer of a period waits for us, and we for the closer.
  PERFORM 1 FROM period WHERE id = ANY (ARRAY(SELECT DISTINCT period_id FROM entry WHERE batch_id = NEW.id)) ORDER BY id FOR SHARE;
  SELECT e.effective_on::text INTO wrong
    FROM (SELECT DISTINCT book_id, period_id, effective_on, month FROM entry WHERE batch_id = NEW.id) e
    LEFT JOIN period d ON d.id = e.period_id
   WHERE NOT coalesce(d.book_id = NEW.book_id AND d.status = 'open'
                      AND e.effective_on >= d.starts_on AND e.effective_on < d.ends_before, false)
   LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'LEDGER06 a period is closed, missing or does not hold the date %', wrong;
  END IF;
  SELECT e.effective_on::text INTO wrong FROM (SELECT DISTINCT book_id, effective_on, month FROM entry WHERE batch_id = NEW.id) e
   WHERE e.book_id <> NEW.book_id OR e.month <> to_char(e.effective_on, 'YYYYMM')::bigint LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'LEDGER12 an entry of % is of another book, or its month is not that of its date', wrong;
  END IF;

  IF seen.reversing THEN
    PERFORM ledger_check_reversals(NEW.id);
  END IF;
  IF used.guarded THEN
    PERFORM ledger_move_balances(NEW.id, note.first_month, note.last_month);
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ledger_entry_key(entry_id bigint) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT idempotency_key FROM entry WHERE id = entry_id $$;

CREATE FUNCTION ledger_check_reversals(batch bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  wrong text;
BEGIN
  SELECT min(r.idempotency_key) INTO wrong FROM entry r LEFT JOIN entry o ON o.id = r.reverses_id
   WHERE r.batch_id = batch AND r.reverses_id IS NOT NULL AND (
     o.id IS NULL OR o.id = r.id OR o.book_id <> r.book_id
     OR NOT (o.batch_id = batch OR EXISTS (SELECT 1 FROM posting_batch WHERE id = o.batch_id))
     OR EXISTS (SELECT line, gl_account_id, account_id, sub_key, document_key, currency, amount
                FROM posting WHERE batch_id = o.batch_id AND entry_id = o.id AND month = o.month
                EXCEPT SELECT line, gl_account_id, account_id, sub_key, document_key, currency, -amount
                FROM posting WHERE batch_id = r.batch_id AND entry_id = r.id AND month = r.month)
     OR (SELECT count(*) FROM posting WHERE batch_id = o.batch_id AND entry_id = o.id AND month = o.month)
        <> (SELECT count(*) FROM posting WHERE batch_id = r.batch_id AND entry_id = r.id AND month = r.month));
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'LEDGER13 reversal % is not the exact mirror of a sealed entry of its book', wrong;
  END IF;
END $$;

-- Guarded balances move by one sum per batch. First missing rows, because an upsert tests the CHECK on the bare increment; then
-- the locks in the order of the keys, so that batches that cross each other wait instead of dying; then the sums. The sums are
-- passed as arrays, whose length the planner knows.
CREATE FUNCTION ledger_move_balances(batch bigint, first_month bigint, last_month bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan SET enable_sort = on AS $$
DECLARE
  gls bigint[]; accounts bigint[]; subs text[]; currencies text[]; floors text[]; amounts bigint[];
BEGIN
  SELECT array_agg(gl), array_agg(account), array_agg(sub), array_agg(currency), array_agg(floor), array_agg(amount)
    INTO gls, accounts, subs, currencies, floors, amounts
    FROM (SELECT p.gl_account_id AS gl, p.account_id AS account, p.sub_key AS sub, p.currency::text AS currency, g.floor,
                 sum(p.amount)::bigint AS amount
          FROM posting p JOIN gl_account g ON g.id = p.gl_account_id AND g.floor <> 'none'
          WHERE p.batch_id = batch AND p.month BETWEEN first_month AND last_month
          GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4) moved;

  INSERT INTO balance (gl_account_id, account_id, sub_key, currency, floor, amount)
  SELECT gl, account, sub, currency, floor, 0 FROM unnest(gls, accounts, subs, currencies, floors)
    AS m (gl, account, sub, currency, floor) ON CONFLICT DO NOTHING;

  PERFORM 1 FROM balance b JOIN unnest(gls, accounts, subs, currencies) AS m (gl, account, sub, currency)
    ON b.gl_account_id = m.gl AND b.account_id = m.account AND b.sub_key = m.sub AND b.currency = m.currency::bpchar
  ORDER BY b.gl_account_id, b.account_id, b.sub_key, b.currency FOR UPDATE OF b;

  UPDATE balance b SET amount = b.amount + m.amount
  FROM unnest(gls, accounts, subs, currencies, amounts) AS m (gl, account, sub, currency, amount)
  WHERE b.gl_account_id = m.gl AND b.account_id = m.account AND b.sub_key = m.sub AND b.currency = m.currency::bpchar;
END $$;

CREATE TRIGGER posting_batch_seal BEFORE INSERT ON posting_batch FOR EACH ROW EXECUTE FUNCTION ledger_seal();

-- The chain. By induction: seq is unique, and its predecessor must exist with exactly this hash; so there is no gap and no fork.
CREATE FUNCTION ledger_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  before bytea;
BEGIN
  IF NEW.seq = 1 THEN
    SELECT genesis INTO before FROM book WHERE id = NEW.book_id;
  ELSE
    SELECT hash INTO before FROM batch_chain WHERE hash = NEW.prev_hash AND book_id = NEW.book_id AND seq = NEW.seq - 1;
  END IF;
  IF before IS DISTINCT FROM NEW.prev_hash THEN
    RAISE EXCEPTION 'LEDGER07 the batch before it with this hash is missing' USING ERRCODE = '40001';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM posting_batch WHERE id = NEW.batch_id AND book_id = NEW.book_id) THEN
    RAISE EXCEPTION 'LEDGER07 the batch is of another book, or not sealed';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER batch_chain_link BEFORE INSERT ON batch_chain FOR EACH ROW EXECUTE FUNCTION ledger_link();

-- Append-only, for every row and every statement, TRUNCATE included.
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'LEDGER08 % is append-only: % is refused', TG_TABLE_NAME, TG_OP;
END $$;

CREATE TRIGGER entry_append_only BEFORE DELETE OR TRUNCATE ON entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
-- Free text is no part of any digest; it can be erased, not rewritten.
CREATE FUNCTION ledger_erase_memo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.memo <> '' OR to_jsonb(OLD) - 'memo' IS DISTINCT FROM to_jsonb(NEW) - 'memo' THEN
    RAISE EXCEPTION 'LEDGER08 entries are append-only; only a memo can be erased';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION ledger_erase_memo();
CREATE TRIGGER posting_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER posting_batch_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON posting_batch FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER batch_chain_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON batch_chain FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER batch_note_no_delete BEFORE DELETE OR TRUNCATE ON batch_note FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER balance_no_delete BEFORE DELETE OR TRUNCATE ON balance FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER book_no_delete BEFORE DELETE OR TRUNCATE ON book FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER gl_account_no_truncate BEFORE TRUNCATE ON gl_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER period_no_truncate BEFORE TRUNCATE ON period FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- Books, accounts, periods. What freezes once it is used takes a table lock first, so that no batch is sealed meanwhile.
CREATE FUNCTION ledger_book_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.id, OLD.key, OLD.currency, OLD.genesis) IS DISTINCT FROM (NEW.id, NEW.key, NEW.currency, NEW.genesis) THEN
    RAISE EXCEPTION 'LEDGER14 only the name of a book can change';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER book_frozen BEFORE UPDATE ON book FOR EACH ROW EXECUTE FUNCTION ledger_book_frozen();

CREATE FUNCTION ledger_account_frozen() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.id, OLD.book_id, OLD.code, OLD.type, OLD.floor, OLD.control_of)
     IS NOT DISTINCT FROM (NEW.id, NEW.book_id, NEW.code, NEW.type, NEW.floor, NEW.control_of) THEN
    RETURN NEW;
  END IF;
  LOCK TABLE posting_batch IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT 1 FROM posting WHERE gl_account_id = OLD.id) THEN
    RAISE EXCEPTION 'LEDGER14 account % is used; only its name can change', OLD.code;
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER gl_account_frozen BEFORE DELETE OR UPDATE ON gl_account FOR EACH ROW EXECUTE FUNCTION ledger_account_frozen();

-- A book and a range of dates as ranges: no two periods of one book overlap, whoever opens them at the same time.
ALTER TABLE period ADD CONSTRAINT "LEDGER15 the period overlaps another of its book"
  EXCLUDE USING gist (int8range(book_id, book_id, '[]') WITH &&, daterange(starts_on, ends_before) WITH &&);

CREATE FUNCTION ledger_period_frozen() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.status = 'closed' THEN
      RAISE EXCEPTION 'LEDGER09 the period from % is closed for good', OLD.starts_on;
    ELSIF (OLD.id, OLD.book_id, OLD.starts_on, OLD.ends_before) IS DISTINCT FROM (NEW.id, NEW.book_id, NEW.starts_on, NEW.ends_before) THEN
      RAISE EXCEPTION 'LEDGER14 the dates of a period cannot change; an unused one can be deleted';
    END IF;
    RETURN NEW;
  END IF;
  LOCK TABLE posting_batch IN SHARE ROW EXCLUSIVE MODE;
  IF OLD.status = 'closed' OR EXISTS (SELECT 1 FROM entry WHERE period_id = OLD.id) THEN
    RAISE EXCEPTION 'LEDGER14 the period from % is closed or has entries and cannot be deleted', OLD.starts_on;
  END IF;
  RETURN OLD;
END $$;

CREATE TRIGGER period_frozen BEFORE DELETE OR UPDATE ON period FOR EACH ROW EXECUTE FUNCTION ledger_period_frozen();

-- Opening a period makes the partitions of its months, with their own guards: triggers per statement on the parent do not watch
-- who writes to a partition directly.
CREATE FUNCTION ledger_make_partitions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  first date;
  name text;
BEGIN
  FOR first IN SELECT generate_series(date_trunc('month', NEW.starts_on), NEW.ends_before - 1, interval '1 month')::date LOOP
    name := 'posting_' || to_char(first, 'YYYYMM');
    CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
    PERFORM pg_advisory_xact_lock(4711002);
    CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE posting INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
    EXECUTE format('ALTER TABLE posting ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                   name, to_char(first, 'YYYYMM'), to_char(first, 'YYYYMM')::int + 1);
    EXECUTE format('CREATE TRIGGER posting_noted AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ledger_note(''posting'')', name);
    EXECUTE format('CREATE TRIGGER posting_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()', name);
  END LOOP;
  RETURN NULL;
END $$;

CREATE TRIGGER period_makes_partitions AFTER INSERT ON period FOR EACH ROW EXECUTE FUNCTION ledger_make_partitions();

REVOKE ALL ON batch_note FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_note(), ledger_complete(), ledger_seal(), ledger_entry_key(bigint), ledger_check_reversals(bigint),
  ledger_move_balances(bigint, bigint, bigint), ledger_link(), ledger_account_frozen(), ledger_period_frozen(),
  ledger_make_partitions() FROM PUBLIC;
