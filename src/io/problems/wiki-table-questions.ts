import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import type { Context, Problem } from '../../core/words.ts'
import { place } from '../formats/format.ts'
import { asObject, asText } from '../formats/loose.ts'
import { readJsonLines } from '../jsonl.ts'
import { openBytes } from '../open.ts'
import { commaRows } from './delimited.ts'
import { hasHeader, type ProblemFormat, textOf } from './problem-format.ts'

/** Where a question's table stands in the published folder; nothing else is opened. */
const TABLE = /^csv\/\d+-csv\/\d+\.csv$/

/**
 * WikiTableQuestions, with the table as context. Tables are looked for beside the file, in `NAME.csvs.jsonl[.gz]` (one
 * `{context, csv}` a line), then as published: `../csv/...` from the folder of the questions.
 *
 * In cells of the question file `\n`, `\p` and `\\` stand for a line break, `|` and a backslash. Several answers are
 * joined by `, `.
 */
export const wikiTableQuestions: ProblemFormat = {
  name: 'wikitablequestions',
  summary: 'questions on tables of Wikipedia',
  home: 'https://github.com/ppasupat/WikiTableQuestions',
  licence: 'CC-BY-SA-4.0',
  detect: (sample) => (hasHeader(sample, 'id\tutterance\tcontext\ttargetValue') ? 1 : 0),
  async read(record, at) {
    const tables = await tablesBeside(at.path)
    const problems: Problem[] = []
    const rows = textOf(record, at).split(/\r?\n/)
    for (const [i, row] of rows.entries()) {
      const [id, utterance, name, target] = row.split('\t')
      if (i === 0 || row === '') continue
      const table = name === undefined ? undefined : await tableOf(name, tables, at.path)
      if (id === undefined || utterance === undefined || target === undefined || name === undefined || !table) {
        at.reject(
          new GradusError('GRD-IO-006', {
            where: place({ ...at, line: i + 1 }),
            found: target === undefined ? 'fewer than four cells' : `no table ${name}`,
            expected: 'a question whose table stands beside the file',
          }),
        )
        continue
      }
      problems.push({
        id: `wikitablequestions/${id}`,
        prompt: plain(utterance),
        // The same words ask another thing of another table.
        question: `${name} ${plain(utterance)}`,
        answer: target.split('|').map(plain).join(', '),
        context: [table],
        domain: 'wikitablequestions',
      })
    }
    return problems
  },
}

const plain = (cell: string): string =>
  cell.replace(/\\([np\\])/g, (_, c: string) => (c === 'n' ? '\n' : c === 'p' ? '|' : '\\'))

type Table = Extract<Context, { kind: 'table' }>

async function tablesBeside(path: string): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>()
  const base = path.replace(/(\.tsv)?(\.gz)?$/, '')
  for (const file of [`${base}.csvs.jsonl`, `${base}.csvs.jsonl.gz`]) {
    const opened = await openBytes(file).catch(() => null)
    if (!opened) continue
    for await (const batch of readJsonLines(opened.bytes, file)) {
      for (const line of batch) {
        const row = 'value' in line ? asObject(line.value) : undefined
        const [name, csv] = [asText(row?.['context']), asText(row?.['csv'])]
        if (name !== undefined && csv !== undefined) tables.set(name, parsed(name, csv))
      }
    }
  }
  return tables
}

async function tableOf(name: string, tables: Map<string, Table>, path: string): Promise<Table | undefined> {
  const known = tables.get(name)
  if (known || !TABLE.test(name)) return known
  const csv = await readFile(join(dirname(path), '..', name), 'utf8').catch(() => undefined)
  if (csv === undefined) return undefined
  const table = parsed(name, csv)
  tables.set(name, table)
  return table
}

function parsed(name: string, csv: string): Table {
  const [header = [], ...rows] = commaRows(csv, 'backslash')
  return { kind: 'table', name, header, rows }
}
