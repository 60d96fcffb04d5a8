import { z } from 'zod'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Label, Step, Trace } from '../../core/words.ts'
import { type At, type Format, hasFields, parseRecord, share } from './format.ts'
import { importedEvidence } from './gold.ts'
import { cannotHold } from './write.ts'

interface Node {
  text: string
  mc_value: number
  children: Node[]
}
const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({ text: z.string(), mc_value: z.number(), children: z.array(Node) }),
)
const Flat = z.array(z.object({ solution_prefix: z.string(), mc_value: z.number() }))
const Row = z.looseObject({
  question: z.string(),
  final_answer: z.string(),
  reasoning_steps: z.union([Node, Flat]),
  question_id: z.union([z.number(), z.string()]),
})

interface Path {
  texts: string[]
  values: number[]
}

/**
 * OmegaPRM as openr writes it: a tree of steps with Monte Carlo values, or the same as a flat list of prefixes.
 *
 * Every leaf gives one trace; a step's label is the Monte Carlo value of the prefix that ends with it. In the flat
 * layout a prefix's steps are the pieces between the prefixes of it that are listed as well.
 *
 * Written as a tree without branches, a row for each trace: question, reference answer, steps and the values of their
 * labels. What else a trace has is left out; a step without a value label cannot be held.
 */
export const omegaprm: Format = {
  name: 'omegaprm',
  summary: 'Monte Carlo values of solution prefixes, as tree or flat list',
  home: 'https://github.com/openreasoner/openr',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'question', 'final_answer', 'reasoning_steps')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const paths = Array.isArray(row.reasoning_steps)
      ? flatPaths(row.question, row.reasoning_steps)
      : treePaths(row.reasoning_steps)
    if (paths.length === 0) at.odd('no solution', String(row.question_id))
    return paths.map((path, i) => trace(row, path, i, at))
  },
  write: (traces) => traces.map(write),
}

function trace(row: z.output<typeof Row>, { texts, values }: Path, leaf: number, at: At): Trace {
  return {
    id: `${at.stem}-${at.line}-${leaf}`,
    problem: {
      id: contentHash(questionKey(row.question)).slice(0, 16),
      prompt: row.question,
      answer: row.final_answer,
    },
    steps: texts.map((text): Step => ({ text, kind: 'thought' })),
    evidence: values.map((v, step) => importedEvidence(step, v, at, { dataset: 'omegaprm' })),
    labels: values.map((value, step): Label => ({ step, meaning: 'value', value, source: 'imported:omegaprm' })),
    source: { generator: '', dataset: 'omegaprm', licence: 'MIT' },
  }
}

function treePaths(root: Node): Path[] {
  const out: Path[] = []
  const walk = (node: Node, path: Path): void => {
    if (node.children.length === 0 && path.texts.length > 0) out.push(path)
    for (const child of node.children)
      walk(child, { texts: [...path.texts, child.text], values: [...path.values, child.mc_value] })
  }
  walk(root, { texts: [], values: [] })
  return out
}

function flatPaths(question: string, prefixes: z.output<typeof Flat>): Path[] {
  const value = new Map(prefixes.map((p) => [p.solution_prefix, p.mc_value]))
  const sorted = [...value.keys()].filter((p) => p !== question && p.startsWith(question)).sort()
  const leaves = sorted.filter((p, i) => !sorted[i + 1]?.startsWith(p))
  return leaves.map((leaf) => {
    const stops = sorted.filter((p) => leaf.startsWith(p)).sort((a, b) => a.length - b.length)
    return {
      texts: stops.map((p, i) => p.slice(i === 0 ? question.length : stops[i - 1]!.length).replace(/^\s+/, '')),
      values: stops.map((p) => value.get(p)!),
    }
  })
}

function write(trace: Trace): unknown {
  const values = new Map<number, number>()
  for (const label of trace.labels ?? []) {
    if (label.meaning === 'value' && label.value !== null) values.set(label.step, label.value)
  }
  if (trace.steps.length === 0) throw cannotHold(trace, 'omegaprm', 'no steps', 'at least one step')
  const path = trace.steps.map((step, i): Node => {
    const value = values.get(i)
    if (value === undefined)
      throw cannotHold(trace, 'omegaprm', `no value of step ${i}`, 'a value label for every step')
    return { text: step.text, mc_value: value, children: [] }
  })
  path.forEach((node, i) => {
    const next = path[i + 1]
    if (next) node.children.push(next)
  })
  // nobody says what the question alone is worth; the reader does not ask
  const root: Node = { text: '', mc_value: path[0]?.mc_value ?? 0, children: path.slice(0, 1) }
  return {
    question: trace.problem.prompt,
    final_answer: trace.problem.answer ?? '',
    reasoning_steps: root,
    question_id: trace.problem.id,
  }
}
