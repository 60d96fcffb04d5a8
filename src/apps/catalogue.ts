import { z } from 'zod'
import { GradusError } from '../core/errors.ts'
import type { Method } from '../core/method.ts'
import { CREDITS } from '../improve/credit/index.ts'
import { SEARCHES } from '../improve/search/index.ts'
import { FORMATS } from '../io/formats/index.ts'
import { PROBLEM_FORMATS } from '../io/problems/index.ts'
import { SPLITTERS } from '../io/steps/index.ts'
import { ANNOTATORS } from '../label/annotators/index.ts'
import { LABEL_MODELS } from '../label/label-models/index.ts'
import { RULES } from '../label/rules/index.ts'
import { PRM_ADAPTERS } from '../models/rewards/prm-adapters/index.ts'
import { LEARNERS } from '../models/training/learners.ts'
import { BENCHMARKS } from '../prove/benchmarks/index.ts'
import { TASKS } from '../worlds/tasks/index.ts'
import { VERIFIERS } from '../worlds/verifiers/index.ts'
import type { Verifier } from '../worlds/verifiers/verifier.ts'

/** One kind of method, as `gradus methods` lists it. */
export interface Room {
  name: string
  question: string
  methods: readonly (Pick<Method, 'name' | 'summary'> & Partial<Method> & About)[]
}

/** What some rooms know of their methods beyond the common head. */
interface About {
  covers?: string
  home?: string
  /** How far a finding may be trusted, with the source of the figures. */
  trust?: string
}

const annotators = ANNOTATORS.map((annotator) => {
  const verifier = VERIFIERS.find((v) => `verifier:${v.name}` === annotator.name)
  return verifier === undefined ? annotator : { ...annotator, covers: verifier.covers, trust: trustOf(verifier) }
})

function trustOf({ reliability: { incorrect, correct, measured } }: Verifier): string {
  return `"wrong" is right in ${percent(incorrect)} of cases, "right" in ${percent(correct)} (${measured})`
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}

/** Everything that Gradus can do, by room; flags, docs and the viewer's forms are made from it. */
export const CATALOGUE: readonly Room[] = [
  { name: 'formats', question: 'how do traces and labels come in and go out?', methods: FORMATS },
  { name: 'problems', question: 'how do problems come in?', methods: PROBLEM_FORMATS },
  { name: 'splitters', question: 'where does a step end?', methods: SPLITTERS },
  { name: 'tasks', question: 'where do problems with exact step oracles come from?', methods: TASKS },
  { name: 'annotators', question: 'what do we learn about each step?', methods: annotators },
  { name: 'rules', question: 'which rule makes evidence a label?', methods: RULES },
  { name: 'label-models', question: 'how do noisy sources become one calibrated risk?', methods: LABEL_MODELS },
  { name: 'learners', question: 'who learns to score steps from their numbers?', methods: LEARNERS },
  {
    name: 'reward-models',
    question: 'whose score can be asked over a wire (--reward prm:NAME@URL#MODEL)?',
    methods: PRM_ADAPTERS,
  },
  { name: 'searches', question: 'how do scores buy better answers?', methods: SEARCHES },
  { name: 'credits', question: 'how much does each step of an attempt deserve?', methods: CREDITS },
  { name: 'benchmarks', question: 'how good is it?', methods: BENCHMARKS },
]

/**
 * The rooms, or the one of that name, or those with the method of that name alone; `arithmetic` is short for
 * `verifier:arithmetic`.
 * @throws GradusError GRD-LABEL-001
 */
export function roomsNamed(name: string | undefined): readonly Room[] {
  if (name === undefined) return CATALOGUE
  const room = CATALOGUE.find((r) => r.name === name)
  if (room) return [room]
  const found = CATALOGUE.flatMap((r) =>
    r.methods.filter((m) => m.name === name || m.name === `verifier:${name}`).map((m) => ({ ...r, methods: [m] })),
  )
  if (found.length > 0) return found
  throw new GradusError('GRD-LABEL-001', {
    found: name,
    expected: `a room (${CATALOGUE.map((r) => r.name).join(', ')}) or a method's name`,
    try: ['gradus methods'],
  })
}

/** A room as JSON, with JSON Schemas of all options. */
export function described(room: Room) {
  return {
    ...room,
    methods: room.methods.map((m) => ({
      name: m.name,
      summary: m.summary,
      paper: m.paper,
      home: m.home,
      covers: m.covers,
      trust: m.trust,
      options: m.options && z.toJSONSchema(m.options),
    })),
  }
}
