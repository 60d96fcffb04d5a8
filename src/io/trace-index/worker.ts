import { parentPort, workerData } from 'node:worker_threads'
import type { ErrorCode, ErrorDetails } from '../../core/errors.ts'
import { GradusError } from '../../core/errors.ts'
import { buildIndex, type Progress } from './build.ts'
import type { Facts } from './facts.ts'

/** What the thread is given. */
export interface IndexTask {
  path: string
  file: string
  from: Facts | null
}

/** What it says: progress after each commit, then that it is done or why it is not. */
export type IndexNews = { progress: Progress } | { done: true } | { error: { code: ErrorCode } & ErrorDetails }

if (parentPort) {
  const port = parentPort
  const say = (news: IndexNews): void => port.postMessage(news)
  const { path, file, from } = workerData as IndexTask
  try {
    await buildIndex(path, file, from, (progress) => say({ progress }))
    say({ done: true })
  } catch (error) {
    if (!(error instanceof GradusError)) throw error
    say({ error: error.toJSON() })
  }
}
