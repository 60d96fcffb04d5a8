import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Debian's own Python first: it is the one that Debian's packages belong to. */
const PYTHONS = ['/usr/bin/python3', 'python3']

/** A Python that has the module, or null after one line that says what is left out. */
export function pythonWith(module: string, debian: string): string | null {
  for (const python of PYTHONS) {
    try {
      execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
      return python
    } catch {
      // The next one may have it.
    }
  }
  console.log(`skipped: no Python with ${module} (Debian: ${debian})`)
  return null
}

/** Runs a program beside this file with a job as its argument; gives what it prints as JSON. */
export function runPeer(python: string, program: string, job: object, threads?: number): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-peer-'))
  const file = join(folder, 'job.json')
  writeFileSync(file, JSON.stringify(job))
  const one = threads === undefined ? {} : { OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` }
  const path = join(import.meta.dirname, program)
  if (!existsSync(path)) throw new RangeError(`no program ${program}`)
  try {
    const env = { ...process.env, ...one }
    return JSON.parse(execFileSync(python, [path, file], { env, maxBuffer: 1 << 28 }).toString())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
