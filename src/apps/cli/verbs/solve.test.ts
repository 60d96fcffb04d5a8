import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Tree } from '../../../core/tree.ts'
import { startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { SEARCHES } from '../../../improve/search/index.ts'
import { callVerb } from '../testing/run-gradus.ts'
import { solve } from './solve.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-solve-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = (name: string): string => join(folder, name)
const call = (args: string) => callVerb(solve, args.replaceAll('@', `${folder}/`).split(' '))
const lines = (name: string) =>
  readFileSync(path(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const CHAIN = '--task arithmetic-chain:3 --policy task:slip=.3 --reward oracle:value --problems 4'

describe('gradus solve', () => {
  it('writes answer, candidates, tree and usage of each problem, and the same bytes again', async () => {
    const run = await call(`${CHAIN} --search step-beam:k=16,beam=4 -o @a.jsonl`)
    expect([run.code, run.err]).toEqual([0, ''])
    expect(run.out).toMatch(/4 of 4 problems {3}4 right/)
    expect(run.out).toMatch(/├ 1\.000|└ 1\.000|├ \.\d{3}/)
    for (const one of lines('a.jsonl')) {
      expect(one).toMatchObject({
        right: true,
        outOfBudget: false,
        flags: [],
        search: 'step-beam:k=16,beam=4',
        policy: 'task',
      })
      expect(one.answer).toBe(one.candidates[one.chosen].trace.answer)
      expect(Tree.fromJSON(one.tree).size).toBeGreaterThan(10)
      expect(one.usage.calls).toBe(16 * 7)
    }
    await call(`${CHAIN} --search step-beam:k=16,beam=4 -o @b.jsonl`)
    expect(readFileSync(path('b.jsonl'), 'utf8')).toBe(readFileSync(path('a.jsonl'), 'utf8'))
  })

  it.each(SEARCHES)('runs $name, and gives the summary as JSON', async ({ name }) => {
    const run = await call(`${CHAIN} --search ${name} --json`)
    expect(run.code).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject({ search: name, reward: 'oracle:value', asked: 4, solved: 4, lost: {} })
  })

  it('chooses by what a tool says alone', async () => {
    const run = await call(`${CHAIN} --policy task:slip=.1 --search best-of-n:n=16 --reward verifier:arithmetic --json`)
    expect(JSON.parse(run.out)).toMatchObject({ reward: 'verifier:arithmetic', solved: 4, flags: {} })
  })

  it('a budget for one problem ends its search with what it has', async () => {
    const run = await call(`${CHAIN} --search best-of-n:n=16 --calls 3 --json`)
    expect(JSON.parse(run.out)).toMatchObject({ solved: 4, outOfBudget: 4, candidates: 12, usage: { calls: 12 } })
  })

  it('refuses what cannot be meant, before anything is spent', async () => {
    for (const [args, code] of [
      ['--search majority', 'GRD-CLI-001'],
      [`${CHAIN} p.jsonl`, 'GRD-CLI-001'],
      [`${CHAIN} --search poetry`, 'GRD-CLI-002'],
      [`${CHAIN} --search step-beam:width=3`, 'GRD-CLI-002'],
      [`${CHAIN} --veto poetry`, 'GRD-CLI-002'],
      ['--task arithmetic-chain --policy task --reward poetry', 'GRD-MODEL-004'],
      ['--task arithmetic-chain --policy task --reward verifier:arithmetic+python-execution', 'GRD-CLI-002'],
      ['--task arithmetic-chain --policy task --search best-of-n', 'GRD-SEARCH-001'],
      [`${CHAIN} --search step-beam:k=17,beam=4 -o @never.jsonl`, 'GRD-SEARCH-001'],
      [`${CHAIN} --search majority:n=1`, 'GRD-CLI-002'],
    ] as const) {
      expect([args, (await call(args)).code]).toEqual([args, code])
    }
    expect(existsSync(path('never.jsonl'))).toBe(false)
  })
})

describe('gradus solve from an endpoint', () => {
  let server: TestServer
  beforeAll(async () => {
    let asked = 0
    server = await startTestServer({
      text: () => (asked++ % 3 === 2 ? 'Let us see.\n\nThe answer is \\boxed{5}.' : 'So.\n\nThe answer is \\boxed{4}.'),
    })
  })
  afterAll(() => server.close())

  it('votes over what the model says, with answers that are equal as mathematics as one', async () => {
    const problems = [1, 2].map((i) => ({ id: `q${i}`, prompt: `What is 2 + 2, number ${i}?`, answer: '4.0' }))
    writeFileSync(path('q.jsonl'), problems.map((p) => JSON.stringify(p)).join('\n'))
    const run = await call(
      `@q.jsonl --policy ${server.url}#test --search majority:n=9 --no-cache --json -o @q-out.jsonl`,
    )
    expect(run.code).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject({ solved: 2, right: 2, candidates: 18 })
    expect(lines('q-out.jsonl').map(({ answer, right }) => [answer, right])).toEqual([
      ['4', true],
      ['4', true],
    ])
  })
})

describe('docs/solving.md', () => {
  const page = readFileSync(new URL('../../../../docs/solving.md', import.meta.url), 'utf8')

  it('names every search', () => {
    for (const { name } of SEARCHES) expect(page).toContain(`| \`${name}\` |`)
  })

  it('every command runs as written', async () => {
    const commands = page.split('\n').filter((line) => line.startsWith('gradus solve '))
    expect(commands.length).toBeGreaterThan(3)
    for (const line of commands) {
      const words = line
        .split(' ')
        .slice(2)
        .map((word) => (/^[a-z]+\.jsonl$/.test(word) ? path(word) : word))
      const run = await callVerb(solve, [...words, '--cache', path('cache.sqlite')])
      expect([line, run.code, run.err]).toEqual([line, 0, ''])
    }
  })
})
