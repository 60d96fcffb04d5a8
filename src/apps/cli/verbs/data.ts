import { z } from 'zod'
import { fetchDataset, locate, places } from '../../../io/datasets/download.ts'
import { DATASETS, type Dataset, datasetNamed, forbidsCommercialUse } from '../../../io/datasets/registry.ts'
import { oneLine } from '../show/style.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  commercial: z.boolean().default(false).describe('leave out sets whose licence forbids commercial use'),
  json: z.boolean().default(false).describe('as JSON'),
})

export const data = verb({
  name: 'data',
  summary: 'public data sets by name: the list, or the paths of their files',
  arguments: '[names...]',
  options: Options,
  examples: ['gradus data', 'gradus data processbench', 'gradus label $(gradus data processbench) -o labelled.jsonl'],
  async run(names, options, terminal) {
    const wanted = names.length === 0 ? DATASETS : names.map(datasetNamed)
    const leftOut = options.commercial ? wanted.filter((d) => forbidsCommercialUse(d.licence)) : []
    const kept = wanted.filter((d) => !leftOut.includes(d))
    for (const d of leftOut) terminal.err(`left out  ${d.name}: its licence (${d.licence}) forbids commercial use\n`)
    if (options.commercial && leftOut.length === 0) {
      terminal.err('left out  none: no licence here forbids commercial use; some ask for naming the source\n')
    }
    if (names.length > 0) return await files(kept, leftOut.length > 0, options.json, terminal)
    terminal.out(options.json ? `${JSON.stringify(kept.map(described))}\n` : list(kept))
    return EXIT.done
  },
})

/** Paths alone on standard output, so that `$(gradus data NAME)` works. */
async function files(kept: readonly Dataset[], some: boolean, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const where = places()
  for (const dataset of kept) {
    const located = await fetchDataset(dataset, where, (url) => {
      if (terminal.interactive) terminal.err(`downloads ${url}\n`)
    })
    terminal.out(
      json
        ? `${JSON.stringify({ name: dataset.name, licence: dataset.licence, files: located })}\n`
        : located.map(({ path }) => `${path}\n`).join(''),
    )
  }
  return some ? EXIT.lost : EXIT.done
}

function described(dataset: Dataset): Record<string, unknown> {
  const { name, summary, groups, licence, sources } = dataset
  return {
    name,
    summary,
    groups,
    licence,
    homes: sources.map((s) => `https://github.com/${s.repository}/tree/${s.commit}`),
    ...presence(dataset),
  }
}

function presence({ sources }: Dataset): { files: number; here: number } {
  const where = places()
  const all = sources.flatMap((s) => s.files)
  return { files: all.length, here: all.filter((f) => locate(f, where) !== null).length }
}

/** Sets under the first of their groups, a line each. */
function list(datasets: readonly Dataset[]): string {
  const rows = datasets.map((d) => {
    const { files, here } = presence(d)
    const state = here === files ? 'here' : here === 0 ? '-' : `${here} of ${files}`
    return { group: d.groups[0] ?? '', cells: [d.name, state, oneLine(d.licence, LICENCE_WIDTH)], summary: d.summary }
  })
  const widths = [0, 1, 2].map((c) => Math.max(...rows.map((row) => row.cells[c]?.length ?? 0)))
  const groups = [...new Set(rows.map((row) => row.group))].map((group) => {
    const lines = rows
      .filter((row) => row.group === group)
      .map(({ cells, summary }) => `  ${cells.map((cell, c) => cell.padEnd(widths[c] ?? 0)).join('   ')}   ${summary}`)
    return `${group}\n${lines.join('\n')}\n`
  })
  return `${groups.join('\n')}\nnext: gradus data NAME   prints the paths of its files; those that are not here are downloaded\n`
}

/** Longer ones are whole in `--json`. */
const LICENCE_WIDTH = 14
