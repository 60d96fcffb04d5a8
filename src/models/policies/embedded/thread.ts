import { parentPort } from 'node:worker_threads'
import { GradusError } from '../../../core/errors.ts'
import type { GenerateOptions, Sample } from './generate-options.ts'
import { type LoadedModel, loadEmbedded } from './load.ts'
import type { Scored } from './model.ts'

/** What a thread computes: some rows of one model's work. */
export type ThreadJob = { weights: string; root: string } & (
  | { generate: GenerateOptions }
  | { score: readonly string[] }
)

/** Its answer to each job, in order: one value a row, or why there is none. */
export type ThreadAnswer = { values: Sample[] | Scored[] } | { error: unknown } | { crash: string }

if (parentPort) {
  const port = parentPort
  const models = new Map<string, Promise<LoadedModel>>()
  const run = async (job: ThreadJob): Promise<ThreadAnswer> => {
    const key = JSON.stringify([job.root, job.weights])
    const loading = models.get(key) ?? loadEmbedded(job.weights, { root: job.root })
    models.set(key, loading)
    try {
      const model = await loading
      return { values: await ('generate' in job ? model.generate(job.generate) : model.score(job.score)) }
    } catch (error) {
      if (error instanceof GradusError) return { error: error.toJSON() }
      return { crash: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  port.on('message', (job: ThreadJob) => {
    void run(job).then((answer) => port.postMessage(answer))
  })
}
