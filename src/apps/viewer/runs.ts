import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Usage } from '../../core/words.ts'
import type { Source } from './data.ts'
import { Figure, type RunFile, type RunRow } from './schemas.ts'

/** A larger file of a run is not read into memory, bytes. */
const LARGEST = 64 * 1024 * 1024

/** Read as it comes: a run of another version is shown as far as it can be understood. */
const Loose = z.looseObject({
  version: z.number().nullish().catch(null),
  state: z.string().catch('unknown'),
  stage: z.string().nullish().catch(null),
  stages: z
    .array(
      z.looseObject({
        name: z.string(),
        done: z.number().nullish().catch(null),
        total: z.number().nullish().catch(null),
        seconds: z.number().nullish().catch(null),
      }),
    )
    .catch([]),
  usage: Usage.nullish().catch(null),
  seed: z.union([z.string(), z.number()]).nullish().catch(null),
  started: z.string().nullish().catch(null),
  updated: z.string().nullish().catch(null),
  config: z.unknown(),
})

/** What can be said of a run without its traces. A file by itself is a row too, without `run`. */
export function runRow(source: Source, n: number): z.output<typeof RunRow> {
  if (!source.isRun) {
    const bytes = statSync(source.path, { throwIfNoEntry: false })?.size ?? 0
    return { n, name: source.name, run: null, problem: null, files: [{ name: source.name, bytes }] }
  }
  const files = readdirSync(source.path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(tmp|index|sqlite)|-(wal|shm)$/.test(entry.name))
    .map(({ name }) => ({ name, bytes: statSync(join(source.path, name), { throwIfNoEntry: false })?.size ?? 0 }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const { value, problem } = readJson(join(source.path, 'run.json'))
  const read = Loose.safeParse(value)
  if (value === undefined || !read.success) {
    return { n, name: source.name, run: null, problem: problem ?? 'run.json is no object', files }
  }
  return { n, name: source.name, run: runFrom(read.data), problem: null, files }
}

/** Figures that the run wrote; those that cannot be drawn are left out and counted. */
export function writtenFigures(source: Source): { figures: z.output<typeof Figure>[]; leftOut: number } {
  if (!source.isRun || !existsSync(join(source.path, 'figures.json'))) return { figures: [], leftOut: 0 }
  const { value } = readJson(join(source.path, 'figures.json'))
  const list = Array.isArray(value)
    ? value
    : (z.object({ figures: z.array(z.unknown()) }).safeParse(value).data?.figures ?? [])
  const figures = list.flatMap((item) => {
    const read = Figure.safeParse(item)
    return read.success ? [read.data] : []
  })
  return { figures, leftOut: list.length - figures.length }
}

/** Changes when a file of the run does. */
export function runStamp(source: Source): string {
  if (!source.isRun) return ''
  return ['run.json', 'figures.json', 'trees.jsonl']
    .map((name) => {
      const info = statSync(join(source.path, name), { throwIfNoEntry: false })
      return `${info?.mtimeMs} ${info?.size}`
    })
    .join(' ')
}

function runFrom(run: z.output<typeof Loose>): z.output<typeof RunFile> {
  return {
    version: run.version ?? null,
    state: run.state,
    stage: run.stage ?? null,
    stages: run.stages.map(({ name, done = null, total = null, seconds = null }) => ({ name, done, total, seconds })),
    usage: run.usage ?? null,
    seed: run.seed === null || run.seed === undefined ? null : String(run.seed),
    started: run.started ?? null,
    updated: run.updated ?? null,
    config: run.config === undefined ? '' : JSON.stringify(run.config, null, 2),
  }
}

function readJson(file: string): { value: unknown; problem: string | null } {
  try {
    if (statSync(file).size > LARGEST) return { value: undefined, problem: 'larger than the limit' }
    return { value: JSON.parse(readFileSync(file, 'utf8')), problem: null }
  } catch (error) {
    return { value: undefined, problem: error instanceof Error ? error.message : String(error) }
  }
}
