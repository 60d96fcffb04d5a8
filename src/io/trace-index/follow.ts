import { existsSync, statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { GradusError } from '../../core/errors.ts'
import { threadFile } from '../thread-file.ts'
import { buildIndex, type Progress } from './build.ts'
import { type Facts, freshness } from './facts.ts'
import { cacheFolder, locateIndex } from './place.ts'
import { IndexReader } from './reader.ts'
import type { IndexNews, IndexTask } from './worker.ts'

/** Heap of the indexing thread: a batch of parsed records and the ids seen; documents are parsed whole. */
const WORKER_HEAP_MB = 1_024

/** Indexed sooner than a thread has started, bytes. */
const SMALL_BYTES = 256 * 1024

/**
 * The index of a file, made in a thread where it is not there yet, and kept up with a file that grows.
 *
 * `version` grows whenever rows were added or the whole index was made anew.
 */
export class FollowedIndex {
  readonly path: string
  version = 0
  /** Why the data could not be read to their end. */
  failure: GradusError | null = null
  #reader: IndexReader | null = null
  #worker: Worker | null = null
  #progress: Progress = { traces: 0, share: 0 }
  readonly #cache: string

  private constructor(path: string, cache: string) {
    this.path = path
    this.#cache = cache
  }

  /**
   * Comes back as soon as the first rows can be read.
   * @param cache folder of indexes that are not beside their data
   * @throws GradusError where the file cannot be opened or is no file of traces
   */
  static async open(path: string, cache = cacheFolder()): Promise<FollowedIndex> {
    const index = new FollowedIndex(path, cache)
    await index.#start()
    return index
  }

  get reader(): IndexReader {
    if (this.#reader) return this.#reader
    throw new GradusError('GRD-IO-002', { where: { file: this.path }, found: 'an index that is being made anew' })
  }

  /** Is everything read? */
  get finished(): boolean {
    return this.#worker === null
  }

  /** Of the bytes that are read, in [0, 1]; null where nobody can say. */
  get share(): number | null {
    return this.finished ? 1 : this.#progress.share
  }

  /** Looks whether the file has changed, and reads what was added. */
  async refresh(): Promise<void> {
    if (this.#worker !== null || this.#reader === null) return
    if (this.failure !== null || !existsSync(this.path)) return
    if (freshness(this.#reader.facts(), this.path) !== 'fresh') await this.#start()
  }

  /** Resolves when everything is read. */
  async settled(): Promise<void> {
    while (this.#worker !== null) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = null
    this.#reader?.close()
    this.#reader = null
  }

  async #start(): Promise<void> {
    const { file, state } = this.#locate()
    this.version++
    if (state === 'fresh') {
      this.#reader?.close()
      this.#reader = new IndexReader(this.path, file)
      return
    }
    let from: Facts | null = null
    if (state === 'grown') {
      this.#reader ??= new IndexReader(this.path, file)
      from = this.#reader.facts()
    } else {
      this.#reader?.close()
      this.#reader = null
    }
    const task = { path: this.path, file, from }
    if (statSync(this.path).size > SMALL_BYTES) await this.#index(task)
    else await this.#indexHere(task)
  }

  async #indexHere({ path, file, from }: IndexTask): Promise<void> {
    try {
      await buildIndex(path, file, from, () => {})
    } catch (error) {
      if (!(error instanceof GradusError) || !existsSync(file)) throw error
      this.failure = error
    }
    this.#reader ??= new IndexReader(path, file)
  }

  #locate(): ReturnType<typeof locateIndex> {
    try {
      return locateIndex(this.path, this.#cache)
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : String(cause)
      throw new GradusError('GRD-IO-001', { where: { file: this.path }, found, cause })
    }
  }

  #index(task: IndexTask): Promise<void> {
    const worker = new Worker(threadFile(import.meta.url, 'worker', 'io/trace-index'), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB, maxYoungGenerationSizeMb: 8 },
    })
    this.#worker = worker
    this.#progress = { traces: task.from?.traces ?? 0, share: 0 }
    return new Promise((resolve, reject) => {
      const readable = (): void => {
        this.#reader ??= new IndexReader(this.path, task.file)
        this.version++
        resolve()
      }
      const end = (failure: GradusError | null): void => {
        this.#worker = null
        this.failure = failure
        this.version++
        if (failure !== null && this.#reader === null) reject(failure)
        else resolve()
      }
      worker.on('message', (news: IndexNews) => {
        if ('progress' in news) {
          this.#progress = news.progress
          readable()
        } else if ('error' in news) {
          const { code, ...details } = news.error
          end(new GradusError(code, details))
        } else {
          end(null)
        }
      })
      worker.on('error', (cause) => {
        end(new GradusError('GRD-IO-002', { where: { file: this.path }, found: cause.message, cause }))
      })
    })
  }
}
