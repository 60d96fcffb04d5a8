import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { random } from '../src/core/seeds.ts'
import { bootstrap, type Estimate } from '../src/core/stats/index.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { DEFAULT_VARIANTS } from '../src/worlds/optimisation/audit.ts'
import { FLAWS } from '../src/worlds/optimisation/flaws.ts'
import type { Model } from '../src/worlds/optimisation/model.ts'
import { readNl4opt } from '../src/worlds/optimisation/nl4opt.ts'
import { highs } from '../src/worlds/optimisation/solve.ts'
import { randomModels, type StudyCase, study } from '../src/worlds/optimisation/study.ts'

/** Fixed before the first run: what the claim needs, on each set of problems. */
const BAR = { passedByOutcome: 0.25, caught: 0.95, flagged: 0.01 } as const

const SIZE = { quick: { random: 16, real: 40 }, full: { random: 100, real: 378 } } as const

/** Does this check call the candidate wrong? */
type Check = (c: StudyCase, i: number) => boolean

/** Flawed optimisation models: what the optimum shows, and what variants of the data show. */
export const steporlm: Replication = {
  paper: 'steporlm',
  title: 'Flawed models behind right optima',
  claim:
    'a right optimum hides many flawed models, and solving the model under other data beside a reference catches them',
  failsIf:
    'on either set the optimum of the given data passes less than 25 % of the flawed models (nothing to find), or the audit with 5 variants catches less than 95 % of them or flags more than 1 % of equivalent rewrites',
  setting:
    'one error of each of nine kinds in random plans of 2 or 3 variables (half with whole variables) and in the LPs that the annotations of NL4OPT declare, then scaled, renamed and reordered; whether a model really differs on the given data or a variant is decided by listing points or vertices, without the solver',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const size = SIZE[quick ? 'quick' : 'full']
    const solver = await highs()
    const real = nl4optModels()
    const sets: [string, readonly Model[]][] = [['random plans', randomModels(size.random, seed, solver)]]
    if (real.length > 0) sets.push(['NL4OPT', real.slice(0, size.real)])
    const notes: string[] = real.length > 0 ? [] : ['NL4OPT is not here (GRADUS_DATA): random plans only']
    const settings: ReplicationResult['settings'] = []
    let holds = true
    for (const [name, models] of sets) {
      progress(`${name}: ${models.length} models`)
      const cases = study(models, solver, { variants: DEFAULT_VARIANTS, seed: `${seed}/${name}` })
      const arms = armsOf(cases, `${seed}/${name}`)
      settings.push({ name, arms })
      const value = (arm: string, figure: string): number =>
        arms.find((a) => a.name === arm)?.figures.find((f) => f.name === figure)?.estimate.value ?? Number.NaN
      holds &&=
        1 - value(OPTIMUM, CAUGHT) >= BAR.passedByOutcome &&
        value(AUDIT, CAUGHT) >= BAR.caught &&
        value(AUDIT, FLAGGED) <= BAR.flagged
      notes.push(`${name}, passed by the optimum of the given data: ${byKind(cases, (c) => c.sameOptimum)}`)
      notes.push(`${name}, not caught by the audit: ${byKind(cases, (c) => c.verdict !== 'flawed')}`)
      const open = cases.filter((c) => c.verdict === 'undecided').length
      const harmless = cases.filter((c) => c.kind !== 'rewrite' && !c.differs)
      notes.push(
        `${name}: ${open} of ${cases.length} candidates undecided (reference without a solution, or an objective that is a multiple); ${harmless.length} injected errors change nothing on any data, of which ${harmless.filter((c) => c.verdict === 'flawed').length} are flagged`,
      )
    }
    notes.push('the training loop of the paper (policy and reviewer improving each other) is not run here')
    return {
      settings,
      outcome: holds ? 'holds' : 'fails',
      because: holds
        ? 'on every set the optimum passes at least a quarter of the flawed models, and the audit meets both bars'
        : 'a bar is missed on at least one set',
      notes,
    }
  },
}

const OPTIMUM = 'optimum of the given data'
const AUDIT = `solver audit, ${DEFAULT_VARIANTS} variants`
const CAUGHT = 'flawed models caught'
const FLAGGED = 'rewrites flagged'

function armsOf(cases: readonly StudyCase[], seed: string): Arm[] {
  const flags = random(`${seed}/flags`).shuffle(cases.map((c) => c.verdict === 'flawed'))
  const checks: [string, boolean, Check][] = [
    [OPTIMUM, true, (c) => !c.sameOptimum],
    ['as many flags at random', true, (_, i) => flags[i] ?? false],
    [`optima of ${DEFAULT_VARIANTS} variants`, false, (c) => !c.sameOptima],
    [AUDIT, false, (c) => c.verdict === 'flawed'],
  ]
  return checks.map(([name, control, check]) => ({
    name,
    control,
    figures: [
      figure(CAUGHT, cases, (c) => c.differs, check, seed),
      figure('flawed on the given data, caught', cases, (c) => c.differsHere, check, seed),
      figure(FLAGGED, cases, (c) => c.kind === 'rewrite', check, seed),
    ],
  }))
}

function figure(
  name: string,
  cases: readonly StudyCase[],
  among: (c: StudyCase) => boolean,
  check: Check,
  seed: string,
): { name: string; estimate: Estimate; n: number } {
  const items = cases.flatMap((c, i) => (among(c) ? [{ group: c.group, hit: check(c, i) }] : []))
  const groups = renumbered(items.map((i) => i.group))
  const share = (picked: readonly number[]): number =>
    picked.length === 0 ? Number.NaN : picked.filter((p) => items[p]?.hit).length / picked.length
  return { name, estimate: bootstrap(groups, share, { seed: `${seed}/${name}` }), n: items.length }
}

/** Groups of the items at hand, from 0 without gaps. */
function renumbered(groups: readonly number[]): number[] {
  const known = new Map<number, number>()
  return groups.map((g) => {
    const number = known.get(g) ?? known.size
    known.set(g, number)
    return number
  })
}

function byKind(cases: readonly StudyCase[], passes: (c: StudyCase) => boolean): string {
  return FLAWS.map((kind) => {
    const flawed = cases.filter((c) => c.kind === kind && c.differs)
    return `${kind} ${flawed.filter(passes).length} of ${flawed.length}`
  }).join(', ')
}

/** Models of the annotated problems; none where the data are not there. */
export function nl4optModels(): Model[] {
  const folder = join(process.env.GRADUS_DATA ?? '', 'nl4opt')
  if (!process.env.GRADUS_DATA || !existsSync(folder)) return []
  return ['dev', 'test'].flatMap((part) =>
    gunzipSync(readFileSync(join(folder, `${part}.jsonl.gz`)))
      .toString('utf8')
      .trim()
      .split('\n')
      .flatMap((line) => {
        const row = readNl4opt(JSON.parse(line))
        return row.ok ? [row.model] : []
      }),
  )
}
