import { GradusError } from '../../core/errors.ts'
import { execute, NotHere, type Result } from './execute.ts'
import { DEFAULT_LIMITS, type Language, type Level, type LevelName, type Limits } from './levels.ts'
import { probeLevels } from './probe.ts'

export interface RunRequest {
  language: Language
  code: string
  stdin?: string
  /** Path relative to the working folder -> text; at most 64. */
  files?: Readonly<Record<string, string>>
  limits?: Partial<Limits>
  /** Exactly this level instead of the best one. */
  level?: LevelName
  /** Code may run at `local`, which isolates nothing, where nothing better is here. */
  allowLocal?: boolean
  /** Where `bwrap` and `unshare` are looked for; PATH unless said. */
  path?: string
  signal?: AbortSignal
}

/**
 * Runs untrusted code at the best level of this machine; the level that applied is part of the result.
 *
 * JavaScript without files and standard input goes to QuickJS, everything else to a process in a jail.
 * @throws GradusError GRD-BOX-001 where no isolating level can run it and `local` is not allowed, GRD-BOX-002 where a
 * level that passed its probe does not start
 */
export async function run(request: RunRequest): Promise<Result> {
  const path = request.path ?? process.env['PATH'] ?? ''
  const level = choose(request, await probeLevels(path))
  const program = {
    language: request.language,
    code: request.code,
    stdin: request.stdin ?? '',
    files: request.files ?? {},
    limits: { ...DEFAULT_LIMITS, ...request.limits },
  }
  try {
    return await execute(level, program, path, request.signal)
  } catch (error) {
    if (!(error instanceof NotHere)) throw error
    throw new GradusError('GRD-BOX-002', { found: `${level}: ${error.message}`, cause: error })
  }
}

/** The level that `run` would take. @throws GradusError GRD-BOX-001 */
export function choose(request: Omit<RunRequest, 'code'>, levels: readonly Level[]): LevelName {
  const needsProcess = request.stdin !== undefined || request.files !== undefined
  const fits = (level: Level): boolean =>
    level.available && level.languages.includes(request.language) && !(needsProcess && level.name === 'quickjs')
  const allowed = (level: Level): boolean => level.isolating || request.allowLocal === true
  const candidates = levels.filter((level) => request.level === undefined || level.name === request.level)
  const usable = candidates.filter((level) => fits(level) && allowed(level))
  const best = usable.find((level) => level.name === 'quickjs') ?? usable[0]
  if (best) return best.name
  throw new GradusError('GRD-BOX-001', {
    found: candidates.map((level) => `${level.name}: ${refusal(level, fits(level), request.language)}`).join('; '),
    expected: `a level that isolates and runs ${request.language}`,
    try: [
      'install bubblewrap (Debian: apt-get install bubblewrap python3)',
      '--allow-local-exec   (runs the code as you: only for code that you trust)',
    ],
  })
}

function refusal(level: Level, fits: boolean, language: Language): string {
  if (!level.available) return level.reason
  if (!fits) return `does not run this ${language}`
  return 'isolates nothing and was not allowed'
}
