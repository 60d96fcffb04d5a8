import { z } from 'zod'
import { Trace as CoreTrace, Usage } from '../../core/words.ts'

/** Shapes of what the viewer's server and its page say to each other. The TypeScript client is generated from them. */

/** Longer texts of a trace are cut and fetched in pieces, characters. */
export const CUT_CHARS = 100_000
/** Rows of one request. */
export const MOST_ROWS = 1_000

const Trace = CoreTrace.meta({ id: 'Trace' })
/** A whole number in an address. */
export const Whole = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number)
  .meta({ type: 'integer' })

const At = z.number().int().min(0)
/** -1 = no error. */
const FirstError = z.number().int().min(-1)

export const ErrorAnswer = z
  .object({
    error: z.object({ code: z.string(), message: z.string(), try: z.array(z.string()) }),
  })
  .meta({ id: 'ErrorAnswer' })

export const Session = z
  .object({
    /** Name of the file or run folder, without its path. */
    name: z.string(),
    /** Grows whenever data, labels of people or a run changes: poll it, and ask again where it is another. */
    version: z.number().int(),
    files: z.array(z.object({ name: z.string(), bytes: z.number(), format: z.string().nullable() })),
    indexing: z.object({
      /** Traces that can be seen already. */
      done: z.number().int(),
      /** Share of the bytes that are read, in [0, 1]; null where nobody can say (standard input, gzip). */
      share: z.number().nullable(),
      finished: z.boolean(),
      /** Why it ended early. */
      failure: z.string().nullable(),
    }),
    traces: z.number().int(),
    steps: z.number().int(),
    /** Records that could not be read, and the first of their errors. */
    leftOut: z.object({ count: z.number().int(), examples: z.array(z.string()) }),
    trees: z.number().int(),
    runs: z.number().int(),
    /** Everybody who has labelled here. */
    people: z.array(z.string()),
    /** Who labels, where the command said so. */
    person: z.string().nullable(),
  })
  .meta({ id: 'Session' })

export const Row = z
  .object({
    /** Stable number of the trace: its position among the files. */
    at: At,
    id: z.string(),
    /** First 200 characters. */
    problem: z.string(),
    /** Equal for attempts at the same question. */
    question: z.string(),
    generator: z.string(),
    dataset: z.string(),
    task: z.string(),
    steps: z.number().int(),
    outcome: z.number().nullable(),
    /** Of the verdict. */
    firstError: FirstError.nullable(),
    /** By people or by the data set. */
    gold: FirstError.nullable(),
    /** One character a step, '0' (below .1) to '9', '-' = cannot say; empty where there is no verdict; at most 400. */
    risk: z.string(),
    /** In [0, 1]: share of pairs of annotators that name different first errors; null with fewer than two. */
    disagreement: z.number().nullable(),
    maxRisk: z.number().nullable(),
    /** Expected information of a person's look, in [0, 1]. */
    doubt: z.number(),
    tags: z.array(z.string()),
  })
  .meta({ id: 'Row' })

export const RowsQuery = z.object({
  q: z
    .string()
    .optional()
    .describe('words that all occur in the problem, the steps, the id or the answer; the last may be a beginning'),
  filter: z.string().optional().describe('conditions as in filters.ts: `generator:eq:a|b;steps:ge:10`'),
  sort: z.string().optional().describe('a field, with `-` before it for descending; else the order of the file'),
  offset: Whole.default(0),
  limit: Whole.default(100).describe('at most 1,000'),
})

export const Rows = z.object({ total: z.number().int(), rows: z.array(Row) }).meta({ id: 'Rows' })

export const Facet = z
  .object({
    field: z.string(),
    kind: z.enum(['text', 'number', 'tags']),
    /** The most frequent values, most frequent first; null = not known. */
    values: z.array(z.object({ value: z.union([z.string(), z.number()]).nullable(), count: z.number().int() })),
    /** Different values; `values` holds at most 50 of them. */
    distinct: z.number().int(),
    min: z.number().nullable(),
    max: z.number().nullable(),
  })
  .meta({ id: 'Facet' })

export const Cut = z
  .object({
    /** JSON Pointer of the text within the trace, as `/steps/3/text`. */
    pointer: z.string(),
    /** Whole length, characters (UTF-16); the trace holds the first `CUT_CHARS`. */
    length: z.number().int(),
  })
  .meta({ id: 'Cut' })

/** `unsure` = looked at, cannot say; null = not looked at. */
export const StepSaid = z.enum(['correct', 'neutral', 'incorrect', 'unsure']).nullable()

/** What a person says of a trace: one entry a step. `firstError` null = not said. */
const Said = z.object({
  labels: z.array(StepSaid),
  firstError: FirstError.nullable(),
  note: z.string().max(20_000),
})

export const Given = Said.extend({
  person: z.string(),
  /** `draft` = not finished; `adjudicated` = decided after a disagreement. */
  state: z.enum(['draft', 'done', 'skipped', 'adjudicated']),
  /** ISO 8601. */
  time: z.string(),
}).meta({ id: 'Given' })

export const TraceAnswer = z
  .object({
    row: Row,
    /** Without token ids and log-probabilities. */
    trace: Trace,
    cuts: z.array(Cut),
    /** Labels that people gave in this viewer, newest last; they are evidence once exported. */
    people: z.array(Given),
    /** Images of the problem that can be shown, by their position; null = not inside the data folder. */
    images: z.array(z.string().nullable()),
  })
  .meta({ id: 'TraceAnswer' })

export const Piece = z
  .object({
    text: z.string(),
    /** Position of the next piece; null at the end. */
    next: z.number().int().nullable(),
    length: z.number().int(),
  })
  .meta({ id: 'Piece' })

export const TreeRow = z
  .object({ at: At, id: z.string(), problem: z.string(), nodes: z.number().int() })
  .meta({ id: 'TreeRow' })

export const TreeAnswer = z
  .object({
    at: At,
    id: z.string(),
    problem: z.string(),
    tree: z.object({
      texts: z.array(z.string()),
      text: z.array(z.number().int()),
      parent: z.array(z.number().int()),
      visits: z.array(z.number()),
      trials: z.array(z.number()),
      successes: z.array(z.number()),
    }),
    /** Nodes that a binary search looked at, in order. */
    path: z.array(z.number().int()).optional(),
    /** Nodes of the best line, from below the root. */
    best: z.array(z.number().int()).optional(),
  })
  .meta({ id: 'TreeAnswer' })

export const PersonName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,39}$/u)
  .describe('letters, digits, space, dot, dash and underscore; at most 40')

export const QueueItem = z
  .object({
    at: At,
    /** Without labels, verdict, evidence, outcome and gold: people judge for themselves. */
    trace: Trace,
    cuts: z.array(Cut),
    images: z.array(z.string().nullable()),
    /** What this person has said of it so far. */
    mine: z.union([Given, z.null()]),
    /** Others who have labelled it, without what they said. */
    others: z.array(z.string()),
    /** Expected information of a look at it, in [0, 1]. */
    doubt: z.number(),
  })
  .meta({ id: 'QueueItem' })

export const Queue = z
  .object({
    /** Markdown-free text of `--instructions`, null where none was given. */
    instructions: z.string().nullable(),
    /** Traces that this person has finished, skipped ones included. */
    done: z.number().int(),
    /** Traces that still want a label of this person. */
    left: z.number().int(),
    /** People a trace. */
    each: z.number().int(),
    /** What this person holds now; null = nothing taken, or nothing left. */
    item: z.union([QueueItem, z.null()]),
    /** Who works on which trace now. */
    locks: z.array(z.object({ at: At, person: z.string(), until: z.string() })),
    canUndo: z.boolean(),
  })
  .meta({ id: 'Queue' })

export const TakeBody = z.object({
  person: PersonName,
  at: At.optional().describe('a certain trace; else the next by expected information'),
})

export const LabelsBody = Said.extend({
  person: PersonName,
  at: At,
  state: z
    .enum(['draft', 'done', 'skipped'])
    .describe('`draft` after each key; `done` and `skipped` take the next trace'),
})

export const UndoBody = z.object({ person: PersonName })

export const AdjudicateBody = Said.extend({ person: PersonName, at: At })

const Pair = z.object({
  a: z.string(),
  b: z.string(),
  /** Items that both answered. */
  n: z.number().int(),
  /** Share of these on which they agree; null without any. */
  same: z.number().nullable(),
  /** Cohen's kappa; null where it is not defined. */
  kappa: z.number().nullable(),
})

export const QueueAgreement = z
  .object({
    people: z.array(
      z.object({
        person: z.string(),
        done: z.number().int(),
        skipped: z.number().int(),
        /** Gold items answered, and those whose first error is exactly right. */
        gold: z.object({ n: z.number().int(), right: z.number().int() }),
      }),
    ),
    /** Classes of steps, and first errors of traces. */
    steps: z.object({ pairs: z.array(Pair), alpha: z.number().nullable() }),
    traces: z.object({ pairs: z.array(Pair), alpha: z.number().nullable() }),
    /** Traces with labels of at least two people, those that differ first. */
    items: z.array(
      z.object({
        at: At,
        id: z.string(),
        problem: z.string(),
        differs: z.boolean(),
        said: z.array(Given),
        adjudicated: z.union([Given, z.null()]),
      }),
    ),
  })
  .meta({ id: 'QueueAgreement' })

export const Figure = z
  .object({
    id: z.string(),
    title: z.string(),
    kind: z.enum(['line', 'bar', 'dot', 'heat', 'table']),
    columns: z.array(z.string()),
    rows: z.array(z.array(z.union([z.string(), z.number()]).nullable())),
    /** Columns: horizontal, vertical (heat: rows), colour or line. Heat: the value is `value`. */
    x: z.string().optional(),
    y: z.string().optional(),
    series: z.string().optional(),
    value: z.string().optional(),
    /** Columns with the ends of the interval of `y`. */
    low: z.string().optional(),
    high: z.string().optional(),
    note: z.string().optional(),
  })
  .meta({ id: 'Figure' })

/** `run.json` of a run folder, as far as it says. */
export const RunFile = z
  .object({
    version: z.number().nullable(),
    state: z.string(),
    stage: z.string().nullable(),
    stages: z.array(
      z.object({
        name: z.string(),
        done: z.number().nullable(),
        total: z.number().nullable(),
        seconds: z.number().nullable(),
      }),
    ),
    usage: Usage.nullable(),
    seed: z.string().nullable(),
    /** ISO 8601. */
    started: z.string().nullable(),
    updated: z.string().nullable(),
    /** JSON text, indented. */
    config: z.string(),
  })
  .meta({ id: 'RunFile' })

export const RunRow = z
  .object({
    n: At,
    name: z.string(),
    run: z.union([RunFile, z.null()]),
    /** Why `run.json` cannot be read. */
    problem: z.string().nullable(),
    files: z.array(z.object({ name: z.string(), bytes: z.number() })),
  })
  .meta({ id: 'RunRow' })

export const RunAnswer = RunRow.extend({ figures: z.array(Figure) }).meta({ id: 'RunAnswer' })

export const Invite = z.object({ url: z.string() }).meta({ id: 'Invite' })

export const MethodsAnswer = z
  .object({
    rooms: z.array(
      z.object({
        name: z.string(),
        question: z.string(),
        methods: z.array(
          z.object({
            name: z.string(),
            summary: z.string(),
            paper: z.string().nullable(),
            covers: z.string().nullable(),
            home: z.string().nullable(),
            trust: z.string().nullable(),
            options: z.array(z.object({ name: z.string(), description: z.string(), default: z.string().nullable() })),
          }),
        ),
      }),
    ),
    /** Recorded full runs of replications. */
    papers: z.array(
      z.object({
        paper: z.string(),
        title: z.string(),
        claim: z.string(),
        failsIf: z.string(),
        outcome: z.enum(['holds', 'partly', 'fails', 'not testable offline']),
        because: z.string(),
      }),
    ),
  })
  .meta({ id: 'MethodsAnswer' })
