import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Step, Trace } from '../../core/words.ts'
import { type At, type Format, others, parseRecord, place } from './format.ts'
import { importFirstError, labelsDoNotMatch, orUnlabelled } from './gold.ts'
import { asObject } from './loose.ts'
import { importedFirstError } from './write.ts'

const Solution = z.looseObject({
  Question_UUID: z.string(),
  Subject: z.string(),
  Question: z.string(),
  Ground_Truth_Answer: z.unknown(),
  Sampled_Model: z.string(),
  Model_Solution_Steps: z.union([z.array(z.string()), z.string()]),
  Model_Solution_Correctness: z.string(),
  Model_Solution_First_Error_Step: z.union([z.string(), z.number()]),
  /** One text, or one a labeller. */
  Model_Solution_Error_Reason: z.union([z.string(), z.array(z.string())]).nullish(),
})
type Solution = z.output<typeof Solution>

const MODELLED = [
  'Question_UUID',
  'Subject',
  'Question',
  'Ground_Truth_Answer',
  'Sampled_Model',
  'Model_Solution_Steps',
  'Model_Solution_Correctness',
  'Model_Solution_First_Error_Step',
] as const

/**
 * MR-Ben: each record is one question with the labelled solutions of up to three models.
 *
 * The first wrong step is text that counts from 1, or `N/A`. In the coding part steps are one string and the label is
 * the wrong line itself: there a step is a line.
 */
export const mrBen: Format = {
  name: 'mr-ben',
  summary: 'first wrong step, reason and repair in six subjects',
  home: 'https://github.com/dvlab-research/Mr-Ben',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => (sample.records.length > 0 && sample.records.every(isQuestion) ? 1 : 0),
  unroll: (document) => Object.entries(document as Record<string, unknown>).map(([key, value]) => ({ [key]: value })),
  read: (record, at) =>
    Object.values(parseRecord(z.record(z.string(), z.array(z.unknown())), record, at)).flatMap((list) =>
      list.flatMap((s, i) => readOne(s, list.slice(0, i), at)),
    ),
  write(traces) {
    const byQuestion = Map.groupBy(traces, (t) => String(t.id.split('/')[0]))
    return [...byQuestion].map(([uuid, list]) => ({ [uuid]: list.map((t) => writeOne(uuid, t)) }))
  },
}

function isQuestion(record: unknown): boolean {
  if (typeof record !== 'object' || record === null) return false
  const values = Object.values(record)
  return (
    values.length > 0 &&
    values.every(
      (v) => Array.isArray(v) && typeof v[0] === 'object' && v[0] !== null && 'Model_Solution_First_Error_Step' in v[0],
    )
  )
}

/** One bad solution leaves the others of its question. */
function readOne(record: unknown, before: readonly unknown[], at: At): Trace[] {
  try {
    return [trace(parseRecord(Solution, record, at), before, at)]
  } catch (error) {
    if (!(error instanceof GradusError)) throw error
    at.reject(error)
    return []
  }
}

function trace(row: Solution, before: readonly unknown[], at: At): Trace {
  const code = typeof row.Model_Solution_Steps === 'string'
  const steps =
    typeof row.Model_Solution_Steps === 'string' ? row.Model_Solution_Steps.split('\n') : row.Model_Solution_Steps
  const reason = [row.Model_Solution_Error_Reason ?? []]
    .flat()
    .filter((r) => r !== 'N/A')
    .join('\n')
  const options = typeof row.Options === 'string' ? `\n${row.Options}` : ''
  const extra = others(row, ...MODELLED)
  return {
    id: traceId(row, before, at),
    problem: {
      id: contentHash(questionKey(row.Question)).slice(0, 16),
      prompt: `${row.Question}${options}`,
      question: row.Question,
      ...(typeof row.Ground_Truth_Answer === 'string' &&
        row.Ground_Truth_Answer !== '' && { answer: row.Ground_Truth_Answer }),
      domain: row.Subject,
    },
    steps: steps.map((text): Step => ({ text, kind: 'thought' })),
    ...orUnlabelled(at, () => {
      const firstError = code ? wrongLine(row, steps, at) : wrongStep(row, steps.length, at)
      if ((row.Model_Solution_Correctness === 'correct') !== (firstError === -1)) {
        at.odd('correctness and first wrong step contradict each other', row.Question_UUID)
      }
      return importFirstError(firstError, steps.length, at, {
        dataset: 'mr-ben',
        field: 'Model_Solution_First_Error_Step',
        raw: row.Model_Solution_First_Error_Step,
        ...(reason !== '' && { reason }),
      })
    }),
    source: { generator: row.Sampled_Model, dataset: 'mr-ben', licence: 'MIT' },
    extra: { ...extra, code },
  }
}

/** A model that solved the question twice has a number at its second trace. */
function traceId(row: Solution, before: readonly unknown[], at: At): string {
  const again = before.filter((b) => asObject(b)?.Sampled_Model === row.Sampled_Model).length
  if (again > 0) at.odd('two solutions of one model', row.Question_UUID)
  return `${row.Question_UUID}/${row.Sampled_Model}${again > 0 ? `/${again + 1}` : ''}`
}

function wrongStep(row: Solution, steps: number, at: At): number {
  const raw = String(row.Model_Solution_First_Error_Step).trim()
  if (/^n\/?a$/i.test(raw) || raw === '') return -1
  const number = /^(?:step\s*)?(\d+)/i.exec(raw)
  if (!number) throw labelsDoNotMatch(at, 'Model_Solution_First_Error_Step', raw, steps)
  return Number(number[1]) - 1
}

/** The line that the label quotes; where it stands several times, the first. */
function wrongLine(row: Solution, lines: readonly string[], at: At): number {
  const raw = String(row.Model_Solution_First_Error_Step)
  if (/^\s*n\/?a\s*$/i.test(raw)) return -1
  const quoted = raw.split('\n').find((l) => l.trim() !== '') ?? ''
  const exact = lines.indexOf(quoted)
  const line = exact >= 0 ? exact : lines.findIndex((l) => l.trim() === quoted.trim())
  if (line >= 0) return line
  throw new GradusError('GRD-IO-003', {
    where: place(at, 'Model_Solution_First_Error_Step'),
    found: `a quoted line that is not in the solution: ${quoted.slice(0, 60)}`,
    expected: 'one of its lines, or N/A',
  })
}

function writeOne(uuid: string, t: Trace): unknown {
  const { code, ...rest } = t.extra ?? {}
  const firstError = importedFirstError(t, 'mr-ben')
  const steps = t.steps.map((s) => s.text)
  return {
    Question_UUID: uuid,
    Subject: t.problem.domain ?? '',
    Question: t.problem.question ?? t.problem.prompt,
    Ground_Truth_Answer: t.problem.answer ?? '',
    Sampled_Model: t.source.generator,
    Model_Solution_Steps: code === true ? steps.join('\n') : steps,
    Model_Solution_Correctness: firstError === -1 ? 'correct' : 'incorrect',
    Model_Solution_First_Error_Step:
      firstError === -1 ? 'N/A' : code === true ? steps[firstError] : String(firstError + 1),
    ...rest,
  }
}
