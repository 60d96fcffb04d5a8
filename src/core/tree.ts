import { GradusError } from './errors.ts'

/** A node of a tree: 0 is the root, children have larger numbers than their parents. */
export type Node = number

export const ROOT: Node = 0
const NONE = -1

/** A tree as JSON: one entry a node in order of insertion; entry 0 is the root, whose text is empty and parent -1. */
export interface TreeJson {
  texts: string[]
  /** By node: index into `texts`. */
  text: number[]
  parent: number[]
  visits: number[]
  trials: number[]
  successes: number[]
}

/**
 * Lines of reasoning that share prefixes: a node is a prefix, an edge the text of one step.
 *
 * It knows nothing of what a text stands for (prose, a tool call as JSON, the hash of an image). A node carries how
 * often a search went through it (`visits`) and how many runs from it were tried and succeeded (`trials`,
 * `successes`). A parent exists before its child and is never changed, so there can be no cycle. Statistics live in
 * typed arrays that grow by doubling; a child is found by a hash of parent and text.
 */
export class Tree {
  #size = 1
  #parent = new Int32Array(64).fill(NONE)
  #text = new Int32Array(64)
  #depth = new Int32Array(64)
  #firstChild = new Int32Array(64).fill(NONE)
  #lastChild = new Int32Array(64).fill(NONE)
  #sibling = new Int32Array(64).fill(NONE)
  #visits = new Float64Array(64)
  #trials = new Float64Array(64)
  #successes = new Float64Array(64)
  #texts: string[] = ['']
  #textIds = new Map<string, number>([['', 0]])
  /** Open addressing over nodes by (parent, text); at most half full. */
  #slots = new Int32Array(128).fill(NONE)

  /** Number of nodes, the root included. */
  get size(): number {
    return this.#size
  }

  /**
   * The child of a node by the text of the step; made where it is not there yet.
   * @throws GradusError GRD-CORE-001 for a step without text and a node that is not there
   */
  add(parent: Node, text: string): Node {
    this.#check(parent)
    if (text.trim() === '') throw new GradusError('GRD-CORE-001', { found: 'a step without text', expected: 'text' })
    let id = this.#textIds.get(text)
    if (id === undefined) {
      id = this.#texts.length
      this.#texts.push(text)
      this.#textIds.set(text, id)
    }
    const slot = this.#slot(parent, id)
    const known = this.#slots[slot]!
    if (known !== NONE) return known
    return this.#insert(parent, id, slot)
  }

  /** The node at the end of a line of steps, each made where it is not there yet. */
  addPath(texts: readonly string[], from: Node = ROOT): Node {
    let node = from
    for (const text of texts) node = this.add(node, text)
    return node
  }

  /** The child with this text, or null. */
  child(parent: Node, text: string): Node | null {
    this.#check(parent)
    const id = this.#textIds.get(text)
    if (id === undefined) return null
    const found = this.#slots[this.#slot(parent, id)]!
    return found === NONE ? null : found
  }

  /** null for the root. */
  parent(node: Node): Node | null {
    this.#check(node)
    return node === ROOT ? null : this.#parent[node]!
  }

  /** In order of insertion. */
  children(node: Node): Node[] {
    this.#check(node)
    const out: Node[] = []
    for (let c = this.#firstChild[node]!; c !== NONE; c = this.#sibling[c]!) out.push(c)
    return out
  }

  /** The text of the step that leads here; empty for the root. */
  text(node: Node): string {
    this.#check(node)
    return this.#texts[this.#text[node]!]!
  }

  /** Steps from the root. */
  depth(node: Node): number {
    this.#check(node)
    return this.#depth[node]!
  }

  /** Nodes from below the root down to this one. */
  path(node: Node): Node[] {
    this.#check(node)
    const out = new Array<Node>(this.#depth[node]!)
    for (let n = node, at = out.length - 1; n !== ROOT; n = this.#parent[n]!) out[at--] = n
    return out
  }

  /** Texts of the steps from the root down to this node. */
  texts(node: Node): string[] {
    return this.path(node).map((n) => this.#texts[this.#text[n]!]!)
  }

  visits(node: Node): number {
    this.#check(node)
    return this.#visits[node]!
  }

  trials(node: Node): number {
    this.#check(node)
    return this.#trials[node]!
  }

  successes(node: Node): number {
    this.#check(node)
    return this.#successes[node]!
  }

  /** Share of the runs from here that succeeded; null where none was tried. */
  successRate(node: Node): number | null {
    const trials = this.trials(node)
    return trials === 0 ? null : this.#successes[node]! / trials
  }

  visit(node: Node): void {
    this.#check(node)
    this.#visits[node]!++
  }

  /**
   * Adds what runs from this very node brought; its ancestors stay as they are.
   * @throws GradusError GRD-CORE-001 unless 0 <= successes <= trials
   */
  record(node: Node, successes: number, trials: number): void {
    this.#check(node)
    if (!(successes >= 0 && successes <= trials && Number.isFinite(trials))) {
      throw new GradusError('GRD-CORE-001', { found: `${successes} of ${trials} runs`, expected: '0 <= k <= n' })
    }
    this.#trials[node]! += trials
    this.#successes[node]! += successes
  }

  /** One visit and one trial for the node and all its ancestors; `reward` in [0, 1] counts as successes. */
  backUp(node: Node, reward: number): void {
    this.#check(node)
    for (let n = node; n !== NONE; n = this.#parent[n]!) {
      this.#visits[n]!++
      this.#trials[n]!++
      this.#successes[n]! += reward
    }
  }

  toJSON(): TreeJson {
    const of = (a: Int32Array | Float64Array): number[] => Array.from(a.subarray(0, this.#size))
    return {
      texts: [...this.#texts],
      text: of(this.#text),
      parent: of(this.#parent),
      visits: of(this.#visits),
      trials: of(this.#trials),
      successes: of(this.#successes),
    }
  }

  /** @throws GradusError GRD-CORE-001 for what no tree writes: a parent after its child, a child twice, lists of different lengths */
  static fromJSON(json: TreeJson): Tree {
    const tree = new Tree()
    const n = json.parent.length
    const refuse = (found: string): never => {
      throw new GradusError('GRD-CORE-001', { found, expected: 'a tree as Tree.toJSON writes it' })
    }
    for (const list of [json.text, json.visits, json.trials, json.successes]) {
      if (list.length !== n) refuse(`lists of ${list.length} and ${n} nodes`)
    }
    if (n === 0 || json.parent[0] !== NONE) refuse('no root')
    for (let node = 0; node < n; node++) {
      const parent = json.parent[node]!
      if (node > 0) {
        if (!(Number.isInteger(parent) && parent >= 0 && parent < node)) refuse(`parent ${parent} of node ${node}`)
        if (tree.add(parent, json.texts[json.text[node]!] ?? '') !== node) refuse(`node ${node} twice`)
      }
      tree.record(node, json.successes[node]!, json.trials[node]!)
      const visits = json.visits[node]!
      if (!(visits >= 0)) refuse(`${visits} visits`)
      tree.#visits[node] = visits
    }
    return tree
  }

  /** Graphviz source: one box a node with its text and `k/n`, shade by success rate. */
  toDot(width = 40): string {
    const lines = ['digraph tree {', '  node [shape=box, style=filled, fontname="monospace"];']
    for (let node = 0; node < this.#size; node++) {
      const text = node === ROOT ? 'root' : this.text(node)
      const short = [...text].length > width ? `${[...text].slice(0, width - 1).join('')}…` : text
      const rate = this.successRate(node)
      const counts = rate === null ? '' : `\\n${this.#successes[node]}/${this.#trials[node]}`
      const fill = rate === null ? 'white' : `${(rate / 3).toFixed(3)} 0.3 1.0`
      lines.push(`  n${node} [label="${escapeDot(short)}${counts}", fillcolor="${fill}"];`)
      if (node !== ROOT) lines.push(`  n${this.#parent[node]} -> n${node};`)
    }
    return `${lines.join('\n')}\n}\n`
  }

  #check(node: Node): void {
    if (node >= 0 && node < this.#size && Number.isInteger(node)) return
    throw new GradusError('GRD-CORE-001', { found: `node ${node}`, expected: `0 to ${this.#size - 1}` })
  }

  #insert(parent: Node, text: number, slot: number): Node {
    const node = this.#size++
    if (node === this.#parent.length) this.#grow()
    this.#parent[node] = parent
    this.#text[node] = text
    this.#depth[node] = this.#depth[parent]! + 1
    const last = this.#lastChild[parent]!
    if (last === NONE) this.#firstChild[parent] = node
    else this.#sibling[last] = node
    this.#lastChild[parent] = node
    this.#slots[slot] = node
    if (2 * this.#size > this.#slots.length) this.#rehash()
    return node
  }

  /** Where the child is, or the free place for it. */
  #slot(parent: Node, text: number): number {
    const mask = this.#slots.length - 1
    let h = Math.imul(parent, 0x9e3779b1) ^ Math.imul(text, 0x85ebca6b)
    h ^= h >>> 15
    for (let at = h & mask; ; at = (at + 1) & mask) {
      const node = this.#slots[at]!
      if (node === NONE || (this.#parent[node] === parent && this.#text[node] === text)) return at
    }
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(NONE)
    for (let node = 1; node < this.#size; node++) {
      this.#slots[this.#slot(this.#parent[node]!, this.#text[node]!)] = node
    }
  }

  #grow(): void {
    const ints = (a: Int32Array, fill: number) => {
      const b = new Int32Array(2 * a.length).fill(fill)
      b.set(a)
      return b
    }
    const floats = (a: Float64Array) => {
      const b = new Float64Array(2 * a.length)
      b.set(a)
      return b
    }
    this.#parent = ints(this.#parent, NONE)
    this.#text = ints(this.#text, 0)
    this.#depth = ints(this.#depth, 0)
    this.#firstChild = ints(this.#firstChild, NONE)
    this.#lastChild = ints(this.#lastChild, NONE)
    this.#sibling = ints(this.#sibling, NONE)
    this.#visits = floats(this.#visits)
    this.#trials = floats(this.#trials)
    this.#successes = floats(this.#successes)
  }
}

function escapeDot(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replace(/\s+/g, ' ')
}
