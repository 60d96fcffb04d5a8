import { renameSync, statSync } from 'node:fs'
import type { Trace } from '../../core/words.ts'
import { native } from '../formats/native.ts'
import { removeIndex } from './build.ts'
import { type Facts, fingerprint, tailOf } from './facts.ts'
import { indexBeside } from './place.ts'
import { IndexWriter } from './writer.ts'

/** A smaller file is indexed in a blink when somebody looks at it: no second file is left beside it. */
const WORTH_IT = 2_000

/** The index that is written together with its data: `labelled.jsonl.index` beside `labelled.jsonl`. */
export class IndexBeside {
  readonly #path: string
  readonly #file: string
  readonly #unfinished: string
  readonly #writer: IndexWriter
  #bytes = 0
  #lines = 0

  /** @param path under which the data will stand */
  constructor(path: string) {
    this.#path = path
    this.#file = indexBeside(path)
    this.#unfinished = `${this.#file}.${process.pid}.tmp`
    removeIndex(this.#unfinished)
    const nothing = { format: native.name, size: 0, modified: 0, head: '', end: 0, tail: '', finished: false }
    const facts: Facts = { ...nothing, traces: 0, steps: 0, leftOut: 0, examples: [] }
    this.#writer = new IndexWriter(this.#unfinished, facts, false)
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
  close(): void {
    removeIndex(this.#file)
    const { traces } = this.#writer
    const whole = statSync(this.#path).size === this.#bytes
    this.#writer.close({
      ...fingerprint(this.#path),
      end: this.#bytes,
      tail: tailOf(this.#path, this.#bytes),
      finished: true,
    })
    if (whole && traces >= WORTH_IT) renameSync(this.#unfinished, this.#file)
    else removeIndex(this.#unfinished)
  }

  abandon(): void {
    this.#writer.close()
    removeIndex(this.#unfinished)
  }
}
