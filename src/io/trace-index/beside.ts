import { statSync } from 'node:fs'
import type { Trace } from '../../core/words.ts'
import { native } from '../formats/native.ts'
import { type Target, targetOf } from '../target.ts'
import { removeIndex } from './build.ts'
import { type Facts, fingerprint, tailOf } from './facts.ts'
import { indexBeside } from './place.ts'
import { IndexWriter } from './writer.ts'

/** A smaller file is indexed in a blink when somebody looks at it: no second file is left beside it. */
const WORTH_IT = 2_000

/** The index that is written together with its data: `labelled.jsonl.index` beside `labelled.jsonl`. */
export class IndexBeside {
  readonly #path: string
  readonly #target: Target
  readonly #writer: IndexWriter
  #bytes = 0
  #lines = 0

  private constructor(path: string, target: Target) {
    this.#path = path
    this.#target = target
    const nothing = { format: native.name, size: 0, modified: 0, head: '', end: 0, tail: '', finished: false }
    const facts: Facts = { ...nothing, traces: 0, steps: 0, leftOut: 0, examples: [] }
    this.#writer = new IndexWriter(target.name, facts, false)
  }

  /** @param path under which the data will stand */
  static async open(path: string): Promise<IndexBeside> {
    return new IndexBeside(path, await targetOf(indexBeside(path)))
  }

  /** @param lines of the traces, without line feed */
  add(traces: readonly Trace[], lines: readonly string[]): void {
    this.#writer.add(
      traces.map((trace, i) => {
        const bytes = Buffer.byteLength(lines[i]!)
        const start = this.#bytes
        this.#bytes += bytes + 1
        return { trace, start, bytes, line: ++this.#lines, part: 0 }
      }),
    )
  }

  /** Once the data stand under their name. */
  async close(): Promise<void> {
    const path = this.#path
    const { traces } = this.#writer
    const end = this.#bytes
    const whole = statSync(path).size === end
    this.#writer.close({ ...fingerprint(path), end, tail: tailOf(path, end), finished: true })
    // That of the file which stood here before.
    removeIndex(indexBeside(path))
    if (whole && traces >= WORTH_IT) await this.#target.commit()
    else await this.#target.discard()
  }

  async abandon(): Promise<void> {
    this.#writer.close()
    await this.#target.discard()
  }
}
