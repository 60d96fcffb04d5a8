import { resolveObjectURL } from 'node:buffer'
import { Worker as NodeWorker } from 'node:worker_threads'

/** Makes a worker thread look like a web worker to the script that runs in it. */
const PRELUDE = `const {parentPort:p}=require('node:worker_threads');globalThis.self=globalThis;
globalThis.postMessage=m=>p.postMessage(m);p.on('message',d=>globalThis.onmessage({data:d}));
`

/** The part of the web's `Worker` that jax-js uses, on worker threads; its script is a blob URL. */
class BlobWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null
  onerror: ((event: { message: string }) => void) | null = null
  #worker: NodeWorker | undefined
  #waiting: unknown[] = []

  constructor(url: string) {
    const source = resolveObjectURL(url)
    if (!source) throw new TypeError('worker script is not a blob URL')
    void source.text().then((script) => {
      this.#worker = new NodeWorker(PRELUDE + script, { eval: true })
      this.#worker.on('message', (data: unknown) => this.onmessage?.({ data }))
      this.#worker.on('error', (error: unknown) =>
        this.onerror?.({ message: error instanceof Error ? error.message : String(error) }),
      )
      for (const message of this.#waiting.splice(0)) this.#worker.postMessage(message)
    })
  }

  postMessage(message: unknown): void {
    if (this.#worker) this.#worker.postMessage(message)
    else this.#waiting.push(message)
  }
}

/**
 * Lets jax-js compute on `threads` worker threads; call it before jax-js is imported (so import the rest dynamically).
 *
 * Node has no web `Worker`, without which jax-js uses one thread. Results are the same for every number of threads. The threads keep the process alive (jax-js cannot
 * close them): a command that used them ends by `process.exit`.
 */
export function installWorkerShim(threads: number): void {
  Object.defineProperty(globalThis, 'Worker', { value: BlobWorker, configurable: true })
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads, configurable: true })
}
