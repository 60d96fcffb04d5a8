import type { Attempt, CreditStep } from './credit.ts'

/** A policy over `actions` choices a step, `depth` steps, with logits of its own at every prefix. */
export interface Toy {
  actions: number
  depth: number
  /** Logits by prefix (digits of the choices so far). */
  logits: Map<string, number[]>
  outcome: (path: string) => number
}

export interface ToyRun {
  path: string
  chance: number
  outcome: number
}

/** Logits and outcomes that are all different, and the same every time. */
export function toy(actions: number, depth: number): Toy {
  const logits = new Map<string, number[]>()
  const walk = (prefix: string): void => {
    if (prefix.length === depth) return
    const own = Array.from({ length: actions }, (_, a) => Math.sin(3 * Number(`1${prefix}`) + 5 * a))
    logits.set(prefix, own)
    for (let a = 0; a < actions; a++) walk(prefix + a)
  }
  walk('')
  return { actions, depth, logits, outcome: (path) => (Math.cos(7 * Number(`1${path}`)) + 1) / 2 }
}

export function chances(logits: readonly number[]): number[] {
  const all = logits.map(Math.exp)
  const total = all.reduce((a, b) => a + b, 0)
  return all.map((x) => x / total)
}

/** Every way through, with its chance. */
export function everyRun({ actions, depth, logits, outcome }: Toy): ToyRun[] {
  const runs: ToyRun[] = []
  const walk = (path: string, chance: number): void => {
    if (path.length === depth) {
      runs.push({ path, chance, outcome: outcome(path) })
      return
    }
    const own = chances(logits.get(path) ?? [])
    for (let a = 0; a < actions; a++) walk(path + a, chance * (own[a] ?? 0))
  }
  walk('', 1)
  return runs
}

/** P(success) from a prefix on. */
export function exactValue(game: Toy, prefix: string): number {
  const below = everyRun(game).filter(({ path }) => path.startsWith(prefix))
  const total = below.reduce((sum, { chance }) => sum + chance, 0)
  return below.reduce((sum, { chance, outcome }) => sum + chance * outcome, 0) / total
}

/** A run as credit sees it: one token a step. */
export function attemptOf(game: Toy, { path, outcome }: ToyRun, more: Partial<CreditStep> = {}): Attempt {
  return {
    id: path,
    outcome,
    startValue: exactValue(game, ''),
    steps: [...path].map((text, t) => ({
      text,
      tokens: 1,
      score: null,
      value: exactValue(game, path.slice(0, t + 1)),
      ...more,
    })),
  }
}

/** Gradient by the logits: by prefix, one number an action. */
export type Gradient = Map<string, number[]>

/** E[sum over steps of advantage × gradient of log p], from the advantages of every run and its weight. */
export function gradientOf(
  game: Toy,
  terms: readonly { path: string; weight: number; advantages: number[] }[],
): Gradient {
  const out: Gradient = new Map([...game.logits].map(([prefix, own]) => [prefix, own.map(() => 0)]))
  for (const { path, weight, advantages } of terms) {
    for (let t = 0; t < path.length; t++) {
      const prefix = path.slice(0, t)
      const own = chances(game.logits.get(prefix) ?? [])
      const row = out.get(prefix) ?? []
      for (let a = 0; a < own.length; a++) {
        const score = (a === Number(path[t]) ? 1 : 0) - (own[a] ?? 0)
        row[a] = (row[a] ?? 0) + weight * (advantages[t] ?? 0) * score
      }
    }
  }
  return out
}

/** Central differences of an objective of the logits. */
export function differences(game: Toy, objective: (game: Toy) => number): Gradient {
  const h = 1e-5
  const out: Gradient = new Map()
  for (const [prefix, own] of game.logits) {
    out.set(
      prefix,
      own.map((_, a) => {
        const at = (shift: number): number => {
          const logits = new Map(game.logits)
          logits.set(
            prefix,
            own.map((x, b) => (a === b ? x + shift : x)),
          )
          return objective({ ...game, logits })
        }
        return (at(h) - at(-h)) / (2 * h)
      }),
    )
  }
  return out
}

const flat = (gradient: Gradient): number[] => [...gradient.values()].flat()
const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((s, x) => s + x * x, 0))

/** |a - b| / |b|. */
export function relativeError(a: Gradient, b: Gradient): number {
  const [x, y] = [flat(a), flat(b)]
  return norm(x.map((v, i) => v - (y[i] ?? 0))) / norm(y)
}

export function cosine(a: Gradient, b: Gradient): number {
  const [x, y] = [flat(a), flat(b)]
  return x.reduce((s, v, i) => s + v * (y[i] ?? 0), 0) / (norm(x) * norm(y))
}

export const expectedOutcome = (game: Toy): number =>
  everyRun(game).reduce((sum, { chance, outcome }) => sum + chance * outcome, 0)
