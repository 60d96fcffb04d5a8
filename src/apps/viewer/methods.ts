import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CATALOGUE } from '../catalogue.ts'
import { packageRoot } from '../package-root.ts'
import { MethodsAnswer } from './schemas.ts'

/** A recorded run of a replication, as `gradus replicate <paper> --full -o` writes it. */
const Recorded = MethodsAnswer.shape.papers.element.extend({ mode: z.literal('full') })

/** The catalogue, and what became of the papers whose claims were run in full. */
export function methodsAnswer(): z.output<typeof MethodsAnswer> {
  const rooms = CATALOGUE.map(({ name, question, methods }) => ({
    name,
    question,
    methods: methods.map((m) => ({
      name: m.name,
      summary: m.summary,
      paper: m.paper ?? null,
      covers: m.covers ?? null,
      home: m.home ?? null,
      trust: m.trust ?? null,
      options: Object.entries(m.options?.shape ?? {}).map(([option, field]) => ({
        name: option,
        description: (field as z.ZodType).description ?? '',
        default: defaultOf(field as z.ZodType),
      })),
    })),
  }))
  return { rooms, papers: recorded() }
}

/** In the sources where the replications stand, in the package where the build puts them. */
function recorded(): z.output<typeof MethodsAnswer>['papers'] {
  const folder = [join('replications', 'results'), join('dist', 'replications')]
    .map((place) => join(packageRoot(), place))
    .find((place) => existsSync(place))
  if (folder === undefined) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const read = Recorded.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8')))
      if (!read.success) return []
      const { mode: _, ...paper } = read.data
      return [paper]
    })
}

function defaultOf(field: z.ZodType): string | null {
  const read = field.safeParse(undefined)
  return read.success && read.data !== undefined ? JSON.stringify(read.data) : null
}
