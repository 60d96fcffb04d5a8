import { GradusError } from '../../core/errors.ts'
import type { Random } from '../../core/seeds.ts'
import type { Context, Problem } from '../../core/words.ts'
import type { Task } from './task.ts'
import { type Walk, walkTask } from './walk.ts'

type Kind = 'person' | 'city' | 'company'
type Triple = [subject: string, relation: string, object: string]

/** Each relation has one value at most, so that a path from an entity ends in one place. */
const RELATIONS: Record<string, { from: Kind; to: Kind }> = {
  birthplace: { from: 'person', to: 'city' },
  employer: { from: 'person', to: 'company' },
  mentor: { from: 'person', to: 'person' },
  mayor: { from: 'city', to: 'person' },
  founder: { from: 'company', to: 'person' },
  headquarters: { from: 'company', to: 'city' },
}
const RELATION_NAMES = Object.keys(RELATIONS)

const LEVELS = [
  { says: '1 hop in a graph of 4 people', hops: 1, people: 4, context: 'graph', maxLength: 96 },
  { says: '2 hops in a graph of 6 people', hops: 2, people: 6, context: 'graph', maxLength: 168 },
  { says: '2 hops in documents on 6 people', hops: 2, people: 6, context: 'documents', maxLength: 168 },
  { says: '3 hops in documents on 10 people', hops: 3, people: 10, context: 'documents', maxLength: 232 },
  { says: '4 hops in documents on 24 people', hops: 4, people: 24, context: 'documents', maxLength: 304 },
] as const
type Level = (typeof LEVELS)[number]

/** What a search finds where there is no such fact. */
const NOTHING = 'nothing'
const UNKNOWN = 'unknown'

const PROMPT = /^Name the ([a-z]+(?: of the [a-z]+)*) of ([A-Z][a-z]+)\.$/
const SEARCH = /^search: ([^|]{1,80}) \| ([^|]{1,80})$/
const FOUND = /^found: (.{1,80})$/
const ANSWER = /^=(.{1,80})$/
const SENTENCE = /^The ([a-z]+) of ([A-Z][a-z]+) is ([A-Z][a-z]+)\.$/

interface World {
  /** `entity | relation` to the value. */
  facts: ReadonlyMap<string, string>
  entities: string[]
}

interface Question extends World {
  entity: string
  /** In the order in which they are followed. */
  relations: string[]
  result: string
}

interface Stated {
  /** Where the path has come to, as the last observation states it. */
  entity: string
  hop: number
  /** A search whose observation has not been written yet, as `entity | relation`. */
  pending: string | null
  answer: string | null
}

const key = (entity: string, relation: string): string => `${entity} | ${relation}`
const look = (world: World, query: string): string => world.facts.get(query) ?? NOTHING

function worldOf(context: readonly Context[]): World {
  const triples: Triple[] = []
  for (const part of context) {
    if (part.kind === 'graph') triples.push(...part.triples)
    if (part.kind !== 'documents') continue
    for (const sentence of part.documents.flatMap((document) => document.text.split(/(?<=\.) /))) {
      const m = SENTENCE.exec(sentence)
      if (m) triples.push([m[2] ?? '', m[1] ?? '', m[3] ?? ''])
    }
  }
  const facts = new Map(triples.map(([subject, relation, object]) => [key(subject, relation), object]))
  return { facts, entities: [...new Set(triples.flatMap(([subject, , object]) => [subject, object]))] }
}

function parseQuestion(problem: Problem): Question | null {
  const m = PROMPT.exec(problem.prompt)
  const world = worldOf(problem.context ?? [])
  if (!m || world.facts.size === 0) return null
  const relations = (m[1] ?? '').split(' of the ').reverse()
  const entity = m[2] ?? ''
  const result = relations.reduce((at, relation) => look(world, key(at, relation)), entity)
  return { ...world, entity, relations, result: result === NOTHING ? UNKNOWN : result }
}

/**
 * The environment's search: the value of `entity | relation` in the problem's context, or `nothing`.
 *
 * @throws GradusError GRD-WORLD-001 for a problem of another task
 */
export function search(problem: Problem, query: string): string {
  return searcher(problem)(query)
}

/** `search` for many queries: the world of a problem is read once. @throws GradusError GRD-WORLD-001 */
export function searcher(problem: Problem): (query: string) => string {
  const question = parseQuestion(problem)
  if (!question) throw new GradusError('GRD-WORLD-001', { expected: 'a problem of the task hopworld' })
  return (query) => look(question, query.trim())
}

const next = (p: Question, { entity, hop, pending, answer }: Stated): string | null => {
  if (answer !== null) return null
  if (pending !== null) return `found: ${look(p, pending)}`
  if (entity === NOTHING) return `=${UNKNOWN}`
  const relation = p.relations[hop]
  return relation === undefined ? `=${entity}` : `search: ${key(entity, relation)}`
}

const walk: Walk<Question, Stated> = {
  name: 'hopworld',
  summary: 'questions of one to four hops over a made-up world, by search',
  defaults: { slip: 0.05, recovery: 0 },
  levels: LEVELS.map((level) => level.says),
  maxLength: LEVELS.map((level) => level.maxLength),
  errorKinds: ['entity', 'relation', 'observation', 'copy'],
  make: (level, random) => makeQuestion(LEVELS[level] ?? LEVELS[0], random),
  parse: parseQuestion,
  start: (p) => ({ entity: p.entity, hop: 0, pending: null, answer: null }),
  next,

  read(p, s, step) {
    const correct = step === next(p, s)
    const answer = ANSWER.exec(step)?.[1]
    if (answer !== undefined) return { correct, state: { ...s, answer } }
    const found = FOUND.exec(step)?.[1]
    if (found !== undefined) {
      // an observation that nobody asked for is wrong, and the writer takes it as where the path has come to
      const hop = s.pending === null ? s.hop : s.hop + 1
      return { correct, state: { ...s, entity: found, hop, pending: null } }
    }
    const [, entity, relation] = SEARCH.exec(step) ?? []
    if (entity === undefined || relation === undefined) return { correct: false, state: s }
    return { correct, state: { ...s, pending: key(entity, relation) } }
  },

  wrong(p, s, kind) {
    const { entity, hop, pending, answer } = s
    if (answer !== null) return []
    if (pending !== null) {
      return kind === 'observation' ? p.entities.filter((e) => e !== look(p, pending)).map((e) => `found: ${e}`) : []
    }
    const relation = p.relations[hop]
    if (entity === NOTHING || relation === undefined) {
      return kind === 'copy' ? p.entities.filter((e) => `=${e}` !== next(p, s)).map((e) => `=${e}`) : []
    }
    if (kind === 'entity') return p.entities.filter((e) => e !== entity).map((e) => `search: ${key(e, relation)}`)
    if (kind === 'relation') {
      return RELATION_NAMES.filter((r) => r !== relation).map((r) => `search: ${key(entity, r)}`)
    }
    return []
  },

  answer: (s) => s.answer,
  answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
  check: (p, answer) => answer === p.result,
}

const ONSETS = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z']
const VOWELS = ['a', 'e', 'i', 'o', 'u']
const ENDINGS: Record<Kind, readonly string[]> = {
  person: ['n', 'l', 's', 'ra'],
  city: ['ton', 'burg', 'dale'],
  company: ['corp', 'tec', 'soft'],
}

/** Two syllables and an ending by kind, new in `taken`; at most 8 letters. */
function name(kind: Kind, taken: Set<string>, random: Random): string {
  const syllable = () => random.pick(ONSETS) + random.pick(VOWELS)
  for (;;) {
    const text = syllable() + syllable() + random.pick(ENDINGS[kind])
    const made = text.charAt(0).toUpperCase() + text.slice(1)
    if (taken.has(made)) continue
    taken.add(made)
    return made
  }
}

function makeQuestion(level: Level, random: Random): Pick<Problem, 'prompt' | 'context'> {
  const taken = new Set<string>()
  const names = (kind: Kind, n: number) => Array.from({ length: n }, () => name(kind, taken, random))
  const places = Math.ceil(level.people / 2)
  const entities: Record<Kind, string[]> = {
    person: names('person', level.people),
    city: names('city', places),
    company: names('company', places),
  }
  const triples: Triple[] = []
  for (const [relation, { from, to }] of Object.entries(RELATIONS)) {
    for (const subject of entities[from]) {
      triples.push([subject, relation, random.pick(entities[to].filter((e) => e !== subject))])
    }
  }
  const start = random.pick(triples)[0]
  const relations: string[] = []
  let at = start
  while (relations.length < level.hops) {
    const [, relation, object] = random.pick(triples.filter(([subject]) => subject === at))
    relations.push(relation)
    at = object
  }
  const prompt = `Name the ${relations.toReversed().join(' of the ')} of ${start}.`
  const shuffled = random.shuffle(triples)
  if (level.context === 'graph') return { prompt, context: [{ kind: 'graph', triples: shuffled }] }
  const documents = random.shuffle(Object.values(entities).flat()).map((id) => ({
    id,
    text: shuffled
      .filter(([subject]) => subject === id)
      .map(([subject, relation, object]) => `The ${relation} of ${subject} is ${object}.`)
      .join(' '),
  }))
  return { prompt, context: [{ kind: 'documents', documents }] }
}

/**
 * A made-up world of people, cities and companies, and questions of one to four hops:
 * `Name the mayor of the birthplace of Tavon.`
 *
 * The world is the problem's context, as a graph or as documents with one sentence a fact, most of them not needed.
 * Steps are searches and what they found: `search: Tavon | birthplace`, `found: Kelodale`; answer `=Rimos`. The
 * observation lines are the environment's (`search`); a policy that writes them itself may make them up. Where a
 * search finds `nothing`, the careful answer is `=unknown`. Errors: `entity` and `relation` (another search than the
 * question needs), `observation` (made up), `copy` (the answer is another entity).
 */
export const hopworld: Task = walkTask(walk)
