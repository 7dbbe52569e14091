-- AlterTable
ALTER TABLE "key_meters" ADD COLUMN     "period_kind" TEXT NOT NULL DEFAULT 'total';

-- AlterTable
ALTER TABLE "key_reservations" DROP COLUMN "minute",
DROP COLUMN "period";

-- The rest are functions, so that the row of the key is held before anything is read, in one round trip: each statement
-- of a function sees what was committed while it waited. Whoever changes the ledger of a key, its reservations or its
-- meter holds the meter's row; where there is none yet, 4711005 with the key's hash, shared by those who write to the
-- ledger and exclusive for the one who makes the row.

-- The first day, in UTC, of the period of a budget that a moment belongs to.
CREATE FUNCTION "budget_period_start"(kind text, moment timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE kind
    WHEN 'day' THEN (moment AT TIME ZONE 'UTC')::date
    WHEN 'month' THEN date_trunc('month', moment AT TIME ZONE 'UTC')::date
    ELSE DATE '1970-01-01'
  END
$$;

-- The first moment after that period.
CREATE FUNCTION "budget_period_end"(kind text, moment timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE kind
    WHEN 'day' THEN (date_trunc('day', moment AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
    WHEN 'month' THEN (date_trunc('month', moment AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'
    ELSE 'infinity'::timestamptz
  END
$$;

-- The meter of a key, held, as it stands at a moment after that, which is returned too: made where there is none, and
-- counted anew from the ledger and the reservations where another period has begun.
CREATE FUNCTION "hold_key_meter"(key uuid, kind text, OUT meter key_meters, OUT moment timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  begins timestamptz;
  ends timestamptz;
BEGIN
  SELECT m.* INTO meter FROM key_meters m WHERE m.key_id = key FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM pg_advisory_xact_lock(4711005, hashtext(key::text));
    SELECT m.* INTO meter FROM key_meters m WHERE m.key_id = key FOR UPDATE;
  END IF;
  moment := clock_timestamp();
  IF meter.key_id IS NULL OR meter.period_kind <> kind OR meter.period <> budget_period_start(kind, moment) THEN
    begins := budget_period_start(kind, moment)::timestamp AT TIME ZONE 'UTC';
    ends := budget_period_end(kind, moment);
    INSERT INTO key_meters AS m (key_id, minute, period_kind, period, spent_usd, reserved_usd)
    VALUES (
      key, date_trunc('minute', moment, 'UTC'), kind, budget_period_start(kind, moment),
      (SELECT coalesce(sum(e.cost_usd), 0) FROM usage_entries e
        WHERE e.key_id = key AND e.at >= begins AND e.at < ends),
      (SELECT coalesce(sum(r.usd), 0) FROM key_reservations r
        WHERE r.key_id = key AND r.opened_at >= begins AND r.opened_at < ends)
    )
    ON CONFLICT (key_id) DO UPDATE SET period_kind = excluded.period_kind, period = excluded.period,
      spent_usd = excluded.spent_usd, reserved_usd = excluded.reserved_usd
    RETURNING m.* INTO meter;
  END IF;
  IF meter.minute <> date_trunc('minute', moment, 'UTC') THEN
    meter.minute := date_trunc('minute', moment, 'UTC');
    meter.requests := 0;
    meter.tokens := 0;
  END IF;
END $$;

-- Decides whether a key may make a call, and sets aside what that may cost; `verdict` is granted, budget, requests or
-- tokens, and of a call that is refused nothing is counted. Where the caller states no most of output tokens, it gets
-- at most a share of what is left, and no less than `least_tokens`; `output_tokens` says how many where that is to hold.
CREATE FUNCTION "reserve_use"(wish jsonb)
RETURNS TABLE (verdict text, output_tokens int, opened_at timestamptz, requests int, tokens bigint, reset_ms int)
LANGUAGE plpgsql AS $$
DECLARE
  w record;
  h record;
  meter key_meters;
  moment timestamptz;
  left_usd numeric;
  most int;
  granted int;
  needed_usd numeric;
BEGIN
  -- The call waits for this, so this does not wait for the disk: what the database loses of it where its machine loses
  -- power, the claims of the last moment, is counted when those calls are settled, which does.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO w FROM jsonb_to_record(wish) AS r(
    key_id uuid, id uuid, period_kind text, budget_usd numeric, requests_per_minute int, tokens_per_minute int,
    input_usd numeric, token_usd numeric, stated_tokens int, most_tokens int, usual_tokens int, least_tokens int,
    share int, likely_tokens int, likely_input int, provider text, model text, surface text, node_id text,
    lease_ms int, is_again boolean, only_looks boolean
  );
  SELECT * INTO h FROM hold_key_meter(w.key_id, w.period_kind);
  meter := h.meter;
  moment := h.moment;
  reset_ms := 60000 - floor(extract(epoch FROM moment - meter.minute) * 1000)::int;
  requests := meter.requests;
  tokens := meter.tokens;
  opened_at := moment;
  left_usd := w.budget_usd - meter.spent_usd - meter.reserved_usd;

  most := coalesce(w.most_tokens, w.usual_tokens);
  granted := coalesce(w.stated_tokens, most);
  IF w.stated_tokens IS NULL AND left_usd IS NOT NULL AND w.token_usd > 0 THEN
    SELECT floor(greatest(0, left_usd - w.input_usd) / (w.share + count(*)) / w.token_usd) INTO needed_usd
    FROM key_reservations r WHERE r.key_id = w.key_id;
    granted := least(most, greatest(least(needed_usd, most), w.least_tokens));
    IF granted < most OR w.most_tokens IS NULL THEN
      output_tokens := granted;
    END IF;
  END IF;
  needed_usd := w.input_usd + granted * w.token_usd;

  verdict := CASE
    WHEN needed_usd > left_usd OR (w.only_looks AND left_usd <= 0) THEN 'budget'
    WHEN NOT w.is_again AND meter.requests >= w.requests_per_minute THEN 'requests'
    WHEN meter.tokens + w.likely_tokens > w.tokens_per_minute THEN 'tokens'
    ELSE 'granted'
  END;
  IF verdict = 'granted' AND NOT w.only_looks THEN
    requests := meter.requests + CASE WHEN w.is_again THEN 0 ELSE 1 END;
    tokens := meter.tokens + w.likely_tokens;
    UPDATE key_meters m SET minute = meter.minute, requests = reserve_use.requests, tokens = reserve_use.tokens,
      reserved_usd = m.reserved_usd + needed_usd
    WHERE m.key_id = w.key_id;
    INSERT INTO key_reservations
      (id, key_id, usd, tokens, provider, model, input_tokens, surface, node_id, opened_at, lease_expires_at)
    VALUES (w.id, w.key_id, needed_usd, w.likely_tokens, w.provider, w.model, w.likely_input, w.surface, w.node_id,
      moment, moment + w.lease_ms * interval '1 millisecond');
  END IF;
  RETURN NEXT;
END $$;

-- Takes a reservation back whose call used nothing: money and tokens, not the request.
CREATE FUNCTION "release_use"(given uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  owner uuid;
  held key_reservations;
BEGIN
  SELECT r.key_id INTO owner FROM key_reservations r WHERE r.id = given;
  PERFORM FROM key_meters m WHERE m.key_id = owner FOR UPDATE;
  DELETE FROM key_reservations r WHERE r.id = given RETURNING r.* INTO held;
  IF held.id IS NULL THEN
    RETURN false;
  END IF;
  UPDATE key_meters m SET
    reserved_usd = m.reserved_usd - CASE
      WHEN budget_period_start(m.period_kind, held.opened_at) = m.period THEN held.usd ELSE 0 END,
    tokens = CASE
      WHEN date_trunc('minute', held.opened_at, 'UTC') = m.minute THEN greatest(0, m.tokens - held.tokens)
      ELSE m.tokens END
  WHERE m.key_id = owner;
  RETURN true;
END $$;

-- Takes a call into its key's meter as it is written down: what it cost instead of what was set aside for it. Returns
-- what the row of the ledger is to say, and no row where there is one of this call already. `is_lost`: nobody is left
-- to say what was used, so that this is an estimate; it counts only once the lease has run out, and gives way to
-- the truth, should that come after all.
CREATE FUNCTION "settle_use"(call jsonb, is_lost boolean)
RETURNS TABLE (key_id uuid, surface text, at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
  c record;
  meter key_meters;
  held key_reservations;
  guessed usage_entries;
  added_usd numeric := 0;
  added_tokens bigint := 0;
  is_known boolean;
BEGIN
  SELECT * INTO c FROM jsonb_to_record(call) AS r(
    id uuid, reply_id uuid, key_id uuid, surface text, opened_at timestamptz, tokens bigint, cost_usd numeric);
  key_id := coalesce(c.key_id, (SELECT r.key_id FROM key_reservations r WHERE r.id = c.id));
  at := coalesce(c.opened_at, clock_timestamp());
  surface := c.surface;
  IF key_id IS NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;

  SELECT m.* INTO meter FROM key_meters m WHERE m.key_id = settle_use.key_id FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM pg_advisory_xact_lock_shared(4711005, hashtext(key_id::text));
    SELECT m.* INTO meter FROM key_meters m WHERE m.key_id = settle_use.key_id FOR UPDATE;
  END IF;
  DELETE FROM key_reservations r
  WHERE r.id = c.id AND r.key_id = settle_use.key_id AND (NOT is_lost OR r.lease_expires_at < clock_timestamp())
  RETURNING r.* INTO held;
  IF held.id IS NULL THEN
    IF is_lost THEN
      RETURN;
    END IF;
    DELETE FROM usage_entries e
    WHERE e.id = c.id AND e.key_id = settle_use.key_id AND e.key_source = 'unknown'
    RETURNING e.* INTO guessed;
  END IF;

  is_known := EXISTS (SELECT FROM usage_entries e WHERE e.id = c.id OR e.reply_id = c.reply_id);
  surface := coalesce(held.surface, c.surface);
  at := coalesce(held.opened_at, guessed.at, c.opened_at, clock_timestamp());
  IF NOT is_known THEN
    added_usd := coalesce(c.cost_usd, 0);
    added_tokens := c.tokens;
  END IF;
  added_usd := added_usd - coalesce(guessed.cost_usd, 0);
  added_tokens := added_tokens - coalesce(held.tokens, 0)
    - coalesce(guessed.input_tokens::bigint + guessed.output_tokens, 0);
  UPDATE key_meters m SET
    spent_usd = m.spent_usd + CASE
      WHEN budget_period_start(m.period_kind, at) = m.period THEN added_usd ELSE 0 END,
    reserved_usd = m.reserved_usd - CASE
      WHEN budget_period_start(m.period_kind, at) = m.period THEN coalesce(held.usd, 0) ELSE 0 END,
    tokens = CASE
      WHEN date_trunc('minute', at, 'UTC') = m.minute THEN greatest(0, m.tokens + added_tokens) ELSE m.tokens END
  WHERE m.key_id = settle_use.key_id;
  IF NOT is_known THEN
    RETURN NEXT;
  END IF;
END $$;
