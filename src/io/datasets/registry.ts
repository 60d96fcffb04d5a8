import { GradusError } from '../../core/errors.ts'
import registry from './registry.json' with { type: 'json' }

/** A public data set: facts about it, and where its files stand in public repositories. */
export interface Dataset {
  name: string
  summary: string
  /** What it is good for: `step labels`, `agents`, `code`, `problems`, `weak labels`. */
  groups: readonly string[]
  licence: string
  sources: readonly {
    /** `owner/name` on GitHub. */
    repository: string
    /** The files are those of this commit. */
    commit: string
    files: readonly DataFile[]
  }[]
}

export interface DataFile {
  /** In a folder of data sets; `GRADUS_DATA` may hold it with `.gz` behind. */
  path: string
  /** In the repository; null = made of many files there, so that nothing can be downloaded as it is. */
  source: string | null
  /** Of the file as the repository has it; absent where it is not known. */
  sha256?: string
}

export const DATASETS: readonly Dataset[] = registry

/** @throws GradusError GRD-DATA-001 */
export function datasetNamed(name: string): Dataset {
  const found = DATASETS.find((d) => d.name === name)
  if (found) return found
  throw new GradusError('GRD-DATA-001', {
    found: name,
    expected: `one of ${DATASETS.map((d) => d.name).join(', ')}`,
    try: ['gradus data'],
  })
}

/** Does the licence say that commercial use is not allowed: CC BY-NC and the like? */
export function forbidsCommercialUse(licence: string): boolean {
  return /\bNC\b|non-?\s?commercial|research (?:use )?only|academic use/i.test(licence)
}
