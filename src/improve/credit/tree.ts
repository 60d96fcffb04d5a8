import { z } from 'zod'
import { type Node, ROOT, Tree } from '../../core/tree.ts'
import { type Attempt, type Credit, checkGroup, credited, creditOptions, isDead, outcomeAdvantages } from './credit.ts'

const Options = z.object({
  value: z
    .enum(['leaf-mean', 'recursive'])
    .default('leaf-mean')
    .describe('a state is worth the mean of its attempts, or the mean of its next states (leaf-mean)'),
  form: z
    .enum(['treerl', 'local', 'global', 'sibling', 'tree-norm'])
    .default('local')
    .describe(
      'value minus that of the state before (local), of the start (global), both over the root of the attempts (treerl), among siblings (sibling) or all states (tree-norm), standardised (local)',
    ),
})
type Settings = z.output<typeof Options>

/**
 * Attempts that share their first steps as a tree: a state is worth what the attempts through it come to, and a step
 * the difference it makes. Neither a judge nor a model is asked.
 *
 * `leaf-mean` is unbiased for attempts drawn independently, and counts a step that was drawn twice twice. `recursive`
 * is for trees in which some states were tried more often than the policy would: each distinct next state counts once.
 * Along an attempt the local form adds up to outcome - value of the start, whichever the value, unless others go on from
 * where it ends.
 * @see papers/treeps-rag.md
 */
export const tree: Credit = {
  name: 'tree',
  summary: 'attempts as a tree: what a step changes in the mean outcome of the attempts through it',
  paper: 'treeps-rag',
  options: Options,
  needs: [],
  credit(group, given) {
    const settings = creditOptions(tree.name, Options, given)
    checkGroup(group)
    const { grown, ends } = grow(group)
    const advantages = nodeAdvantages(grown, valuesOf(grown, settings.value), settings)
    const flags = isDead(group) ? (['dead-group'] as const) : []
    return group.map((attempt, i) => {
      const end = ends[i] ?? null
      const path = end === null ? [] : grown.path(end)
      return credited(attempt, { tree: attempt.steps.map((_, t) => advantages[path[t] ?? ROOT] ?? 0) }, flags)
    })
  },
}

/** The tree of all attempts with an outcome, each a trial of every state that it went through. */
function grow(group: readonly Attempt[]): { grown: Tree; ends: (Node | null)[] } {
  const grown = new Tree()
  const ends = group.map(({ steps, outcome }) => {
    if (outcome === null) return null
    // An empty text is a step too; the mark keeps it one.
    const end = grown.addPath(steps.map(({ text }) => `>${text}`))
    grown.backUp(end, outcome)
    return end
  })
  return { grown, ends }
}

function valuesOf(grown: Tree, kind: Settings['value']): number[] {
  const values = Array.from({ length: grown.size }, (_, node) => grown.successRate(node) ?? 0)
  if (kind === 'leaf-mean') return values
  // Children have larger numbers than their parents.
  for (let node = grown.size - 1; node >= 0; node--) {
    const children = grown.children(node)
    const through = children.reduce((sum, child) => sum + grown.trials(child), 0)
    const endingHere = grown.trials(node) - through
    if (children.length === 0) continue
    const ended = endingHere > 0 ? endingRate(grown, node, children) : null
    const all = [...children.map((child) => values[child] ?? 0), ...(ended === null ? [] : [ended])]
    values[node] = all.reduce((a, b) => a + b, 0) / all.length
  }
  return values
}

/** Mean outcome of the attempts that end in a state others go on from. */
function endingRate(grown: Tree, node: Node, children: readonly Node[]): number {
  const trials = children.reduce((left, child) => left - grown.trials(child), grown.trials(node))
  const successes = children.reduce((left, child) => left - grown.successes(child), grown.successes(node))
  return successes / trials
}

/** One number a node, 0 for the root. */
function nodeAdvantages(grown: Tree, values: readonly number[], { form }: Settings): number[] {
  const value = (node: Node): number => values[node] ?? 0
  const nodes = Array.from({ length: grown.size - 1 }, (_, i) => i + 1)
  const out = new Array<number>(grown.size).fill(0)
  const local = (node: Node): number => value(node) - value(grown.parent(node) ?? ROOT)
  if (form === 'tree-norm') {
    const scaled = standardised(nodes.map(value))
    for (const [i, node] of nodes.entries()) out[node] = scaled[i] ?? 0
  } else if (form === 'sibling') {
    for (const siblings of Map.groupBy(nodes, (node) => grown.parent(node)).values()) {
      // Each attempt counts, so that a single fork at the start gives what `outcome` gives.
      const drawn = siblings.flatMap((node) => Array.from({ length: grown.trials(node) }, () => node))
      const scaled = outcomeAdvantages(
        drawn.map((node) => ({ id: '', outcome: value(node), startValue: null, steps: [] })),
        { baseline: 'group', scale: 'std' },
      )
      for (const [i, node] of drawn.entries()) out[node] = scaled[i] ?? 0
    }
  } else {
    for (const node of nodes) {
      if (form === 'local') out[node] = local(node)
      else if (form === 'global') out[node] = value(node) - value(ROOT)
      else out[node] = (value(node) - value(ROOT) + local(node)) / Math.sqrt(grown.trials(node))
    }
  }
  return out
}

function standardised(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const spread = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length)
  return values.map((v) => (spread < 1e-12 ? 0 : (v - mean) / spread))
}
