import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { NO_USAGE, Usage } from '../../../core/words.ts'
import { RunConfig, runHash } from './config.ts'

const StageState = z.object({
  name: z.string(),
  done: z.number(),
  /** null = not known yet. */
  total: z.number().nullable(),
  seconds: z.number(),
  finished: z.boolean(),
})
export type StageState = z.infer<typeof StageState>

/** `run.json`: what a run is and how far it has come; the viewer and `gradus status` read it. */
export const RunState = z.object({
  version: z.literal(1),
  state: z.enum(['running', 'done', 'stopped']),
  /** What is under way, null = nothing. */
  stage: z.string().nullable(),
  stages: z.array(StageState),
  usage: Usage,
  seed: z.string(),
  /** ISO 8601. */
  started: z.string(),
  updated: z.string(),
  config: RunConfig,
  /** Of the configuration: a folder belongs to one. */
  hash: z.string(),
  /** What the stages have chosen and found, for resuming and for the report. */
  facts: z.record(z.string(), z.unknown()),
})
export type RunState = z.infer<typeof RunState>

/** Between two writes of the state, milliseconds. */
const WRITE_MS = 500

/**
 * A run's folder: every stage writes whole files and is then marked as finished, so that a run that was killed does
 * the unfinished stage again; what its models have said is in the cache beside.
 */
export class RunFolder {
  readonly path: string
  readonly state: RunState
  #written = 0
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, state: RunState) {
    this.path = path
    this.state = state
  }

  /**
   * A new folder, or one in which the same configuration was begun before.
   * @throws GradusError GRD-RUN-004 where the folder belongs to another configuration, GRD-IO-013 where it cannot be
   * written
   */
  static async open(path: string, config: RunConfig): Promise<RunFolder> {
    const hash = runHash(config)
    const file = join(path, 'run.json')
    if (existsSync(file)) {
      const state = await readState(file)
      if (state.hash === hash) return new RunFolder(path, { ...state, state: 'running', config })
      throw new GradusError('GRD-RUN-004', {
        where: { file },
        found: 'a run with other settings',
        expected: 'the settings that the folder was begun with, or another folder',
        try: ['--folder OTHER'],
      })
    }
    try {
      await mkdir(join(path, 'models'), { recursive: true })
    } catch (cause) {
      throw new GradusError('GRD-IO-013', { where: { file: path }, cause })
    }
    const now = new Date().toISOString()
    return new RunFolder(path, {
      version: 1,
      state: 'running',
      stage: null,
      stages: [],
      usage: NO_USAGE,
      seed: config.seed,
      started: now,
      updated: now,
      config,
      hash,
      facts: {},
    })
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /**
   * Does a stage unless it was finished before.
   * @param work gets a function that counts what is done
   */
  async stage(
    name: string,
    work: (tick: (done: number, total: number | null) => void) => Promise<void>,
  ): Promise<void> {
    let own = this.state.stages.find((s) => s.name === name)
    if (own?.finished) return
    if (!own) {
      own = { name, done: 0, total: null, seconds: 0, finished: false }
      this.state.stages.push(own)
    }
    const stage = own
    const began = performance.now() - stage.seconds * 1000
    const count = (done: number, total: number | null): void => {
      Object.assign(stage, { done, total, seconds: (performance.now() - began) / 1000 })
      void this.save(false)
    }
    this.state.stage = name
    count(0, stage.total)
    await work(count)
    // A stage that counts nothing is one thing, and done.
    const done = Math.max(1, stage.done)
    Object.assign(stage, { seconds: (performance.now() - began) / 1000, finished: true, done, total: done })
    this.state.stage = null
    await this.save(true)
  }

  /** Writes `run.json`; without `now` at most twice a second. */
  async save(now: boolean): Promise<void> {
    if (!now && Date.now() - this.#written < WRITE_MS) return
    this.#written = Date.now()
    this.state.updated = new Date(this.#written).toISOString()
    const text = `${JSON.stringify(this.state, null, 2)}\n`
    this.#writing = this.#writing.then(() => replace(this.file('run.json'), text))
    await this.#writing
  }

  /** Writes a file whole or not at all. */
  async write(name: string, text: string): Promise<void> {
    await replace(this.file(name), text)
  }
}

async function replace(file: string, text: string): Promise<void> {
  try {
    await writeFile(`${file}.tmp`, text)
    await rename(`${file}.tmp`, file)
  } catch (cause) {
    throw new GradusError('GRD-IO-013', { where: { file }, cause })
  }
}

async function readState(file: string): Promise<RunState> {
  try {
    return RunState.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new GradusError('GRD-IO-002', { where: { file }, found: 'no state of a run', cause })
  }
}
