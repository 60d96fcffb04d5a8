/**
 * Tree search with a policy that costs nothing: `node bench/tree.ts [simulations]`.
 *
 * One simulation = descend by UCT to a node with an untried step, add a child, draw an outcome, back it up. Eight
 * steps to choose from, runs of 16 steps. Prints simulations a processor second, the median of five rounds.
 */
import { random } from '../src/core/seeds.ts'
import { ROOT, Tree } from '../src/core/tree.ts'

const SIMULATIONS = Number(process.argv[2] ?? 200_000)
const ROUNDS = 5
const STEPS = Array.from({ length: 8 }, (_, i) => `the step number ${i}`)
const DEPTH = 16

const rates = Array.from({ length: ROUNDS }, (_, round) => {
  const draw = random(`bench/tree/${round}`)
  const start = process.cpuUsage()
  const tree = new Tree()
  for (let i = 0; i < SIMULATIONS; i++) {
    let node = ROOT
    while (tree.depth(node) < DEPTH) {
      const children = tree.children(node)
      if (children.length < STEPS.length) {
        node = tree.add(node, STEPS[children.length]!)
        break
      }
      node = best(tree, node, children)
    }
    tree.backUp(node, draw.next() < 0.5 ? 1 : 0)
  }
  const { user, system } = process.cpuUsage(start)
  return (SIMULATIONS * 1e6) / (user + system)
}).sort((a, b) => a - b)

const rate = Math.round(rates[ROUNDS >> 1]!)
console.log(JSON.stringify({ simulations: SIMULATIONS, simulationsPerCpuSecond: rate }))
console.log(`| tree search, free policy | ${rate.toLocaleString('en-US')} simulations per processor second |`)

/** UCT (Kocsis and Szepesvari 2006) with c = 1. */
function best(tree: Tree, node: number, children: readonly number[]): number {
  const logN = Math.log(tree.visits(node))
  let top = children[0]!
  let score = Number.NEGATIVE_INFINITY
  for (const child of children) {
    const n = tree.visits(child)
    const uct = tree.successes(child) / n + Math.sqrt(logN / n)
    if (uct > score) {
      score = uct
      top = child
    }
  }
  return top
}
