import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goTo, inFolder, launchChromium, openPage, startViewer } from '../src/apps/viewer/testing/viewer.ts'
import { type Random, random } from '../src/core/seeds.ts'
import { type Node, ROOT, Tree } from '../src/core/tree.ts'

const PROJECT = join(import.meta.dirname, '..')
const IMAGES = join(PROJECT, 'docs', 'images')

interface Shot {
  name: string
  hash: string
  /** Drawn as soon as this is there. */
  ready: string
  dark?: boolean
  keys?: readonly string[]
}

const SHOTS: readonly Shot[] = [
  { name: 'traces', hash: '#/traces?sort=-maxRisk', ready: '.rows .row a' },
  { name: 'trace', hash: '#/trace/53?step=0', ready: '.step', keys: ['f', 'e'] },
  { name: 'compare', hash: '#/compare/53/54', ready: '.pair', dark: true },
  { name: 'tree', hash: '#/trees/0', ready: '.tree-canvas', keys: ['w', 'b', 'ArrowLeft', '0'] },
  { name: 'queue', hash: '#/queue?at=12', ready: '.to-label', keys: ['g', 'g', 'e'] },
  { name: 'runs', hash: '#/runs', ready: '.figure-view svg', dark: true },
]

/** Writes `docs/images/viewer-<name>.png` from made-up data: `node scripts/screenshots.ts`. */
if (import.meta.main) {
  await inFolder(async (folder) => {
    const run = join(folder, 'arithmetic')
    mkdirSync(run)
    writeRun(run)
    const browser = await launchChromium()
    const viewer = await startViewer([run])
    const { page } = await openPage(browser, viewer, { person: 'Ada' })
    for (const { name, hash, ready, dark, keys = [] } of SHOTS) {
      await page.emulateMedia({ colorScheme: dark === true ? 'dark' : 'light' })
      await goTo(page, hash, ready)
      for (const key of keys) {
        await page.keyboard.press(key)
        await page.waitForTimeout(300)
      }
      await page.waitForTimeout(1_000)
      await page.screenshot({ path: join(IMAGES, `viewer-${name}.png`) })
    }
    await browser.close()
    await viewer.stop()
  })
}

/** The traces that come with Gradus and attempts at sums, labelled by tools and rollouts; a tree search for 24. */
function writeRun(run: string): void {
  const sums = join(run, 'traces.jsonl')
  gradus(
    ['sample', '--task', 'arithmetic-chain:2', '--policy', 'task:slip=.15,recovery=.3', '--problems', '40', '-n', '4'],
    sums,
  )
  const parts = readdirSync(join(PROJECT, 'examples', 'traces'))
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => [join(PROJECT, 'examples', 'traces', name)])
  parts.push([sums, '--with', 'arithmetic,monte-carlo:k=8', '--policy', 'task:slip=.1'])
  for (const [i, args] of parts.entries()) {
    const part = join(run, `part-${i}.jsonl`)
    gradus(['label', ...args], part)
    appendFileSync(join(run, 'labelled.jsonl'), readFileSync(part))
  }
  const usage = {
    calls: 6_812,
    promptTokens: 412_300,
    completionTokens: 96_020,
    cachedTokens: 0,
    seconds: 41,
    cost: 0.12,
  }
  const stages = [
    { name: 'sample', done: 160, total: 160, seconds: 2 },
    { name: 'label', done: 120, total: 160, seconds: 39 },
  ]
  const state = { version: 1, state: 'running', stage: 'label', stages, usage, seed: '0', config: {} }
  writeFileSync(join(run, 'run.json'), JSON.stringify(state))
  writeFileSync(join(run, 'trees.jsonl'), `${JSON.stringify(searchFor24([3, 4, 6, 8], 6_000))}\n`)
}

function gradus(args: readonly string[], output: string): void {
  const done = spawnSync(process.execPath, [join(PROJECT, 'bin', 'gradus.mjs'), ...args, '-o', output], {
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(`gradus ${args.join(' ')}: ${done.stderr}`)
}

/** Monte Carlo tree search (UCT, c = 1) for an expression of value 24; a run goes on at random and ends right or not. */
function searchFor24(numbers: readonly number[], simulations: number) {
  const draw = random('screenshots/24')
  const tree = new Tree()
  const left = new Map<Node, number[]>([[ROOT, [...numbers]]])
  for (let i = 0; i < simulations; i++) {
    let node = ROOT
    for (;;) {
      const moves = movesFrom(left.get(node)!)
      const children = tree.children(node)
      if (moves.length === 0) break
      if (children.length < moves.length) {
        const untried = moves.find((m) => tree.child(node, m.text) === null)
        if (untried === undefined) break
        node = tree.add(node, untried.text)
        left.set(node, untried.left)
        break
      }
      node = mostPromising(tree, node, children)
    }
    tree.backUp(node, endsRight(left.get(node)!, draw) ? 1 : 0)
  }
  const best: Node[] = []
  for (let node = ROOT; tree.children(node).length > 0; ) {
    node = tree.children(node).reduce((a, b) => (tree.visits(b) > tree.visits(a) ? b : a))
    best.push(node)
  }
  return { id: `24 from ${numbers.join(' ')}`, problem: `Make 24 of ${numbers.join(', ')}.`, tree: tree.toJSON(), best }
}

interface Move {
  text: string
  left: number[]
}

/** Every way to join two of the numbers, in a fixed order, each text once. */
function movesFrom(numbers: readonly number[]): Move[] {
  const moves = new Map<string, Move>()
  numbers.forEach((a, i) => {
    numbers.forEach((b, j) => {
      if (i === j) return
      const rest = numbers.filter((_, k) => k !== i && k !== j)
      const results: [string, number][] = [['-', a - b]]
      if (i < j) results.push(['+', a + b], ['*', a * b])
      if (b !== 0 && a % b === 0) results.push(['/', a / b])
      for (const [sign, value] of results) {
        const left = [...rest, value]
        const text = `${a} ${sign} ${b} = ${value}   left: ${left.join(' ')}`
        moves.set(text, { text, left })
      }
    })
  })
  return [...moves.values()]
}

function endsRight(numbers: readonly number[], draw: Random): boolean {
  let now = numbers
  while (now.length > 1) now = draw.pick(movesFrom(now)).left
  return now[0] === 24
}

function mostPromising(tree: Tree, node: Node, children: readonly Node[]): Node {
  const log = Math.log(tree.visits(node))
  const score = (child: Node): number => (tree.successRate(child) ?? 0) + Math.sqrt(log / tree.visits(child))
  return children.reduce((a, b) => (score(b) > score(a) ? b : a))
}
