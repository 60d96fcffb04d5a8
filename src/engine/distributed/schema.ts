/** Raised when tables or functions change; a database of another version is refused, never altered. */
export const SCHEMA_VERSION = 1

/**
 * Everything that a run on several machines keeps in Postgres, in a schema of its own beside pg-boss's.
 *
 * Only what is unfinished has rows: an item, its completions and its calls go when their shard is in the store, so that
 * a job of any size needs one row a shard and the items of the shards under way. Every function is one statement for
 * the client, and each may be repeated after a lost connection without counting anything twice.
 */
export const SCHEMA = `
CREATE SCHEMA gradus;
CREATE TABLE gradus.version (version int NOT NULL);
INSERT INTO gradus.version VALUES (${SCHEMA_VERSION});

-- One command. The name is the hash of what decides its output.
CREATE TABLE gradus.jobs (
  job text PRIMARY KEY, kind text NOT NULL, config text NOT NULL, results text NOT NULL,
  -- planning, running, paused, stopped (see reason), done
  state text NOT NULL DEFAULT 'planning', reason text,
  priority int NOT NULL, items bigint NOT NULL DEFAULT 0,
  limit_calls float8, limit_tokens float8, limit_cost float8, calls_per_second float8,
  created timestamptz NOT NULL DEFAULT now(), ended timestamptz
);

-- What a job has spent and reserved. Money is numeric: sums do not depend on their order.
CREATE TABLE gradus.spend (
  job text PRIMARY KEY REFERENCES gradus.jobs ON DELETE CASCADE,
  calls bigint NOT NULL DEFAULT 0, prompt_tokens bigint NOT NULL DEFAULT 0, completion_tokens bigint NOT NULL DEFAULT 0,
  cached_tokens bigint NOT NULL DEFAULT 0, seconds float8 NOT NULL DEFAULT 0, cost numeric,
  -- Of the calls: sent by workers that died before they heard of the end.
  in_doubt bigint NOT NULL DEFAULT 0,
  reserved_calls bigint NOT NULL DEFAULT 0, reserved_tokens float8 NOT NULL DEFAULT 0, reserved_cost numeric NOT NULL DEFAULT 0,
  -- Token bucket of the rate limit.
  tokens float8 NOT NULL DEFAULT 0, filled timestamptz NOT NULL DEFAULT now(),
  items bigint NOT NULL DEFAULT 0,
  -- Items and calls in the span of thirty seconds that began last, and in the one before, for the rate.
  span timestamptz NOT NULL DEFAULT now(), span_items bigint NOT NULL DEFAULT 0, span_calls bigint NOT NULL DEFAULT 0,
  before_items bigint NOT NULL DEFAULT 0, before_calls bigint NOT NULL DEFAULT 0
);
CREATE TABLE gradus.failures (
  job text REFERENCES gradus.jobs ON DELETE CASCADE, code text, n bigint NOT NULL, PRIMARY KEY (job, code)
);
CREATE TABLE gradus.facts (
  job text REFERENCES gradus.jobs ON DELETE CASCADE, name text, value text NOT NULL, PRIMARY KEY (job, name)
);

-- The catalogue: where the input and output of each shard are, and who has it.
CREATE TABLE gradus.shards (
  job text REFERENCES gradus.jobs ON DELETE CASCADE, shard int,
  items int NOT NULL, input text NOT NULL, input_sha256 text NOT NULL,
  -- open, done, lost (done, but items were lost to errors)
  state text NOT NULL DEFAULT 'open',
  holder uuid, worker text, taken int NOT NULL DEFAULT 0, tries int NOT NULL DEFAULT 0,
  output text, lines int, bytes bigint, sha256 text, counts text, lost text, ended timestamptz,
  PRIMARY KEY (job, shard)
);
CREATE INDEX shards_open ON gradus.shards (job) WHERE state = 'open';

-- Results of items whose shard is not in the store yet, by content of the item.
CREATE TABLE gradus.items (
  job text, shard int, item text, value text NOT NULL,
  PRIMARY KEY (job, shard, item), FOREIGN KEY (job, shard) REFERENCES gradus.shards ON DELETE CASCADE
);
CREATE TABLE gradus.completions (
  job text, shard int, key text, sample int, value text NOT NULL, usage text NOT NULL,
  PRIMARY KEY (job, shard, key, sample), FOREIGN KEY (job, shard) REFERENCES gradus.shards ON DELETE CASCADE
);
-- Calls under way: written before they go out, taken away when their end is known. Shard -1: the planner's.
CREATE TABLE gradus.calls (
  job text REFERENCES gradus.jobs ON DELETE CASCADE, shard int, holder uuid, seq int,
  key text NOT NULL, first int NOT NULL, samples int NOT NULL, attempt int NOT NULL, sent timestamptz NOT NULL DEFAULT now(),
  calls int NOT NULL, tokens float8 NOT NULL, cost numeric NOT NULL,
  PRIMARY KEY (job, shard, holder, seq)
);
CREATE TABLE gradus.workers (
  worker uuid PRIMARY KEY, name text NOT NULL, under_way int NOT NULL DEFAULT 0, shards int NOT NULL DEFAULT 0,
  started timestamptz NOT NULL DEFAULT now(), seen timestamptz NOT NULL DEFAULT now(), ended timestamptz
);

-- What a worker has to say and to ask, in one go: ends of calls with what they brought, finished items, and calls that
-- it wants to send. Each of those gets a verdict: ok, wait (for running calls or the rate), over (the budget is used
-- up), fenced (the shard is another's), halted (the job is not running).
CREATE FUNCTION gradus.exchange(the_job text, settles text, results text, sends text,
  OUT verdicts text[], OUT wait_ms float8, OUT spent text, OUT state text)
LANGUAGE plpgsql AS $$
DECLARE
  j gradus.jobs%ROWTYPE;
  s gradus.spend%ROWTYPE;
  asks json := sends::json;
  ask record;
  settled bigint := 0;
  finished bigint := 0;
  room float8;
  new_cost numeric;
  verdict text;
  free boolean;
  later boolean;
BEGIN
  SELECT * INTO j FROM gradus.jobs WHERE job = the_job;
  -- Whoever spends waits here for the other workers of the job: limits hold for all together.
  PERFORM pg_advisory_xact_lock(hashtext('gradus spend'), hashtext(the_job));
  SELECT * INTO s FROM gradus.spend WHERE job = the_job;

  IF settles <> '[]' THEN
    WITH said AS (
      SELECT * FROM json_to_recordset(settles::json) AS x(shard int, holder uuid, seq int, calls int, prompt bigint,
        completion bigint, cached bigint, seconds float8, money numeric, code text, kept json)
    ), gone AS (
      DELETE FROM gradus.calls c USING said
      WHERE c.job = the_job AND c.shard = said.shard AND c.holder = said.holder AND c.seq = said.seq
      RETURNING said.*, c.key, c.calls AS held_calls, c.tokens AS held_tokens, c.cost AS held_cost
    ), keep AS (
      INSERT INTO gradus.completions (job, shard, key, sample, value, usage)
      SELECT the_job, gone.shard, gone.key, k.sample, k.value, k.usage
      FROM gone, json_to_recordset(gone.kept) AS k(sample int, value text, usage text)
      -- What the planner asks for is kept as facts.
      WHERE gone.shard >= 0
      ON CONFLICT DO NOTHING
    ), failed AS (
      INSERT INTO gradus.failures AS f (job, code, n)
      SELECT the_job, code, count(*) FROM gone WHERE code IS NOT NULL GROUP BY code
      ON CONFLICT (job, code) DO UPDATE SET n = f.n + EXCLUDED.n
    )
    SELECT s.calls + coalesce(sum(calls), 0), s.prompt_tokens + coalesce(sum(prompt), 0),
      s.completion_tokens + coalesce(sum(completion), 0), s.cached_tokens + coalesce(sum(cached), 0),
      s.seconds + coalesce(sum(seconds), 0), coalesce(s.cost + sum(money), s.cost, sum(money)),
      s.reserved_calls - coalesce(sum(held_calls), 0), s.reserved_tokens - coalesce(sum(held_tokens), 0),
      s.reserved_cost - coalesce(sum(held_cost), 0), count(*)
    FROM gone
    INTO s.calls, s.prompt_tokens, s.completion_tokens, s.cached_tokens, s.seconds, s.cost,
      s.reserved_calls, s.reserved_tokens, s.reserved_cost, settled;
  END IF;

  IF results <> '[]' THEN
    WITH fresh AS (
      INSERT INTO gradus.items (job, shard, item, value)
      SELECT the_job, x.shard, x.item, x.value
      FROM json_to_recordset(results::json) AS x(shard int, item text, value text, times int)
      JOIN gradus.shards h ON h.job = the_job AND h.shard = x.shard AND h.state <> 'done'
      ON CONFLICT DO NOTHING RETURNING shard, item
    )
    SELECT coalesce(sum(times), 0) FROM fresh
    JOIN json_to_recordset(results::json) AS x(shard int, item text, times int) USING (shard, item) INTO finished;
    s.items := s.items + finished;
  END IF;

  verdicts := '{}';
  wait_ms := 0;
  free := j.calls_per_second IS NULL AND j.limit_calls IS NULL AND j.limit_tokens IS NULL AND j.limit_cost IS NULL;
  IF sends <> '[]' AND free THEN
    WITH asked AS (
      SELECT x.*, h.holder IS NOT NULL OR x.shard = -1 AS mine
      FROM json_to_recordset(asks) AS x(n int, shard int, holder uuid, seq int, key text, first int, samples int,
        attempt int, calls int, tokens float8, cost numeric)
      LEFT JOIN gradus.shards h ON h.job = the_job AND h.shard = x.shard AND h.holder = x.holder
    ), fresh AS (
      INSERT INTO gradus.calls AS c (job, shard, holder, seq, key, first, samples, attempt, calls, tokens, cost)
      SELECT the_job, shard, holder, seq, key, first, samples, attempt, calls, tokens, cost
      FROM asked WHERE mine AND j.state IN ('running', 'planning')
      ON CONFLICT DO NOTHING RETURNING c.calls, c.tokens, c.cost
    )
    SELECT (SELECT array_agg(CASE WHEN NOT mine THEN 'fenced' WHEN j.state IN ('running', 'planning') THEN 'ok'
        ELSE 'halted' END ORDER BY n) FROM asked),
      s.reserved_calls + coalesce(sum(calls), 0), s.reserved_tokens + coalesce(sum(tokens), 0),
      s.reserved_cost + coalesce(sum(cost), 0)
    FROM fresh INTO verdicts, s.reserved_calls, s.reserved_tokens, s.reserved_cost;
  ELSIF sends <> '[]' THEN
    IF j.calls_per_second IS NOT NULL THEN
      s.tokens := least(greatest(1, j.calls_per_second),
        s.tokens + greatest(0, extract(epoch FROM clock_timestamp() - s.filled)) * j.calls_per_second);
      s.filled := clock_timestamp();
    END IF;
    FOR ask IN
      SELECT x.*, h.holder IS NOT NULL OR x.shard = -1 AS mine,
        c.seq IS NOT NULL AS known
      FROM json_to_recordset(asks) AS x(n int, shard int, holder uuid, seq int, key text, first int, samples int,
        attempt int, calls int, tokens float8, cost numeric)
      LEFT JOIN gradus.shards h ON h.job = the_job AND h.shard = x.shard AND h.holder = x.holder
      LEFT JOIN gradus.calls c ON c.job = the_job AND c.shard = x.shard AND c.holder = x.holder AND c.seq = x.seq
      ORDER BY x.n
    LOOP
      new_cost := coalesce(s.cost, 0) + ask.cost;
      room := s.prompt_tokens + s.completion_tokens + ask.tokens;
      verdict := CASE
        WHEN ask.known THEN 'known'
        WHEN NOT ask.mine THEN 'fenced'
        WHEN j.state NOT IN ('running', 'planning') THEN 'halted'
        WHEN s.calls + ask.calls > j.limit_calls OR room > j.limit_tokens OR new_cost > j.limit_cost
          OR s.prompt_tokens + s.completion_tokens >= j.limit_tokens OR s.cost >= j.limit_cost THEN 'over'
        WHEN s.calls + s.reserved_calls + ask.calls > j.limit_calls OR room + s.reserved_tokens > j.limit_tokens
          OR new_cost + s.reserved_cost > j.limit_cost THEN 'wait'
        WHEN s.tokens < 1 AND j.calls_per_second IS NOT NULL THEN 'wait'
        ELSE 'ok' END;
      IF verdict = 'ok' THEN
        INSERT INTO gradus.calls (job, shard, holder, seq, key, first, samples, attempt, calls, tokens, cost)
        VALUES (the_job, ask.shard, ask.holder, ask.seq, ask.key, ask.first, ask.samples, ask.attempt, ask.calls,
          ask.tokens, ask.cost);
        s.reserved_calls := s.reserved_calls + ask.calls;
        s.reserved_tokens := s.reserved_tokens + ask.tokens;
        s.reserved_cost := s.reserved_cost + ask.cost;
        IF j.calls_per_second IS NOT NULL THEN s.tokens := s.tokens - 1; END IF;
      ELSIF verdict = 'known' THEN
        verdict := 'ok';
      ELSIF verdict = 'wait' AND j.calls_per_second IS NOT NULL THEN
        wait_ms := greatest(wait_ms, 1000 * greatest(0, 1 - s.tokens) / j.calls_per_second);
      END IF;
      verdicts := verdicts || verdict;
    END LOOP;
  END IF;

  IF s.span <= now() - interval '30 seconds' THEN
    later := s.span <= now() - interval '60 seconds';
    s.before_items := CASE WHEN later THEN 0 ELSE s.span_items END;
    s.before_calls := CASE WHEN later THEN 0 ELSE s.span_calls END;
    s.span := CASE WHEN later THEN now() ELSE s.span + interval '30 seconds' END;
    s.span_items := 0;
    s.span_calls := 0;
  END IF;
  IF settles <> '[]' OR results <> '[]' OR sends <> '[]' THEN
    UPDATE gradus.spend SET calls = s.calls, prompt_tokens = s.prompt_tokens, completion_tokens = s.completion_tokens,
      cached_tokens = s.cached_tokens, seconds = s.seconds, cost = s.cost, reserved_calls = s.reserved_calls,
      reserved_tokens = s.reserved_tokens, reserved_cost = s.reserved_cost, tokens = s.tokens, filled = s.filled,
      items = s.items, span = s.span, span_items = s.span_items + finished, span_calls = s.span_calls + settled,
      before_items = s.before_items, before_calls = s.before_calls
    WHERE job = the_job;
  END IF;
  spent := json_build_object('calls', s.calls, 'promptTokens', s.prompt_tokens, 'completionTokens', s.completion_tokens,
    'cachedTokens', s.cached_tokens, 'seconds', s.seconds, 'cost', s.cost);
  state := j.state;
END $$;

-- The calls of whoever had the shard before are in doubt from now on: nobody will hear of their end.
CREATE FUNCTION gradus.doubt(the_job text, the_shard int, but uuid) RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtext('gradus spend'), hashtext(the_job));
  WITH gone AS (
    DELETE FROM gradus.calls WHERE job = the_job AND shard = the_shard AND holder <> but RETURNING calls, tokens, cost
  ), sums AS (
    SELECT sum(calls) AS calls, sum(tokens) AS tokens, sum(cost) AS cost FROM gone HAVING count(*) > 0
  )
  UPDATE gradus.spend s SET calls = s.calls + sums.calls, in_doubt = s.in_doubt + sums.calls,
    reserved_calls = s.reserved_calls - sums.calls, reserved_tokens = s.reserved_tokens - sums.tokens,
    reserved_cost = s.reserved_cost - sums.cost
  FROM sums WHERE s.job = the_job
$$;

-- The shard is mine from now on, unless it is finished.
CREATE FUNCTION gradus.take(the_job text, the_shard int, me uuid, who text) RETURNS SETOF gradus.shards
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gradus.shards SET holder = me, worker = who, taken = taken + CASE WHEN holder = me THEN 0 ELSE 1 END
  WHERE job = the_job AND shard = the_shard AND state = 'open';
  IF FOUND THEN PERFORM gradus.doubt(the_job, the_shard, me); END IF;
  RETURN QUERY SELECT * FROM gradus.shards WHERE job = the_job AND shard = the_shard;
END $$;

-- The output is in the store: the shard's rows are no longer needed. False where the shard is no longer mine.
CREATE FUNCTION gradus.finish(the_job text, the_shard int, me uuid, how text, the_output text, the_lines int,
  the_bytes bigint, the_sha256 text, the_counts text, the_lost text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  -- Two that finish at once must not each see the other unfinished.
  PERFORM 1 FROM gradus.jobs WHERE job = the_job FOR UPDATE;
  UPDATE gradus.shards SET state = how, holder = NULL, output = the_output, lines = the_lines, bytes = the_bytes,
    sha256 = the_sha256, counts = the_counts, lost = the_lost, ended = now()
  WHERE job = the_job AND shard = the_shard AND holder = me AND state = 'open';
  IF NOT FOUND THEN
    RETURN EXISTS (SELECT 1 FROM gradus.shards
      WHERE job = the_job AND shard = the_shard AND state <> 'open' AND sha256 = the_sha256);
  END IF;
  IF how = 'done' THEN
    DELETE FROM gradus.items WHERE job = the_job AND shard = the_shard;
    DELETE FROM gradus.completions WHERE job = the_job AND shard = the_shard;
  END IF;
  UPDATE gradus.jobs SET state = 'done', ended = now()
  WHERE job = the_job AND state IN ('running', 'paused')
    AND NOT EXISTS (SELECT 1 FROM gradus.shards WHERE job = the_job AND state = 'open');
  RETURN true;
END $$;
`
