import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { startToyServer } from '../../models/rewards/testing/prm-server.ts'
import { startSumJudge } from '../../models/rewards/testing/sum-judge.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { callVerb, says, startGradus } from './testing/run-gradus.ts'
import { label } from './verbs/label.ts'
import { sample } from './verbs/sample.ts'
import { serve } from './verbs/serve.ts'
import { train } from './verbs/train.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 90_000 })

const folder = mkdtempSync(join(tmpdir(), 'gradus-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const pageOf = (name: string): string => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), 'utf8')
/** Words of a command as a shell would give them, files in the folder of the test. */
const wordsOf = (line: string): string[] =>
  line
    .split(' ')
    .slice(2)
    .map((word) => (/^[a-z]+\.jsonl?$/.test(word) ? join(folder, word) : word))
const commandsOf = (page: string, verb: string): string[] =>
  page.split('\n').filter((line) => line.startsWith(`gradus ${verb} `))
const cache = ['--cache', join(folder, 'cache.sqlite')]

describe('docs/serving.md', () => {
  const page = pageOf('serving')

  it('trains, serves and asks as written', async () => {
    for (const [name, verb, more] of [
      ['sample', sample, cache],
      ['label', label, []],
      ['train', train, []],
    ] as const) {
      const [line = ''] = commandsOf(page, name)
      const ran = await callVerb(verb as typeof label, [...wordsOf(line), ...more])
      expect([line, ran.code, ran.err]).toEqual([line, 0, expect.any(String)])
    }
    const [serving = ''] = commandsOf(page, 'serve')
    const server = startGradus(folder, ['serve', ...wordsOf(serving), '--port', '0'], { GRADUS_TOKEN: 'docs-token' })
    try {
      const [, base = ''] = await says(server, /openrlhf (http:\/\/127\.0\.0\.1:\d+)\//)
      const curl = /curl -s http:\/\/[^/]+(\/\S+)[\s\S]*?-d '([^']+)'/.exec(page)
      const headers = { 'content-type': 'application/json', authorization: 'Bearer docs-token' }
      const answer = await fetch(`${base}${curl?.[1]}`, { method: 'POST', headers, body: curl?.[2] ?? '' })
      const body = (await answer.json()) as { data: { scores: number[] }[] }
      expect(answer.status).toBe(200)
      const [right = 0, wrong = 1] = body.data[0]?.scores ?? []
      expect(right).toBeGreaterThan(wrong)
    } finally {
      server.child.kill('SIGINT')
      await server.ended
    }
  })

  it('answers chats by search as written', async () => {
    const line = commandsOf(page, 'serve').find((l) => l.includes('--search')) ?? ''
    const server = startGradus(folder, ['serve', ...wordsOf(line), '--port', '0', '--token', 'GRADUS_TOKEN'], {
      GRADUS_TOKEN: 'docs-token',
    })
    try {
      const [, base] = await says(server, /address {2}(http:\S+)/)
      const [problem] = arithmeticChain.generate('docs', 0, 1)
      const body = { model: 'gradus/best-of-8', messages: [{ role: 'user', content: problem?.prompt ?? '' }] }
      const headers = { 'content-type': 'application/json', authorization: 'Bearer docs-token' }
      const answer = await fetch(`${base}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
      expect([answer.status, await answer.json()]).toEqual([
        200,
        expect.objectContaining({ gradus: expect.objectContaining({ search: 'best-of-n' }) }),
      ])
    } finally {
      server.child.kill('SIGINT')
      await server.ended
    }
  })

  it('names what the packages have, and a client for verl that is printed', async () => {
    const imported = [...page.matchAll(/import \{ ([^}]+) \} from 'gradus\/ai-sdk'/g)].flatMap(
      (m) => m[1]?.split(', ') ?? [],
    )
    expect(Object.keys(await import('../ai-sdk/index.ts'))).toEqual(expect.arrayContaining(imported))
    const printed = await callVerb(serve, ['--print-verl-client'])
    expect(printed).toMatchObject({ code: 0, out: expect.stringContaining('def compute_score(') })
    expect(page).toContain('gradus serve --print-verl-client')
  })
})

describe('docs/judges.md', () => {
  it('every command runs as written, against servers in place of yours', async () => {
    const judge = await startSumJudge()
    const toy = await startToyServer({
      tokens: { '<extra_0>': 151_651 },
      head: { kind: 'rows', width: 2, pooler: 'step' },
      speaksAt: 151_651,
    })
    const run: Trace = {
      id: 'a',
      problem: { id: 'a', prompt: 'Add.' },
      steps: ['2 + 3 = 5', '5 + 4 = 8'].map((text) => ({ text, kind: 'thought' })),
      source: { generator: '', dataset: '', licence: 'MIT' },
    }
    writeFileSync(join(folder, 'runs.jsonl'), `${JSON.stringify(run)}\n`)
    const chains = 'gradus sample --task arithmetic-chain:0 --policy task:slip=.2 --problems 4 -o chains.jsonl'
    expect((await callVerb(sample, [...wordsOf(chains), ...cache])).code).toBe(0)
    const commands = commandsOf(pageOf('judges'), 'label')
    expect(commands).toHaveLength(4)
    for (const line of commands) {
      const at = line.includes('prm:') ? `@${toy.url}#` : `${judge.url}#`
      const here = line.replace(/@?http:\/\/127\.0\.0\.1:8000\/v1#/, () => at)
      const ran = await callVerb(label, [...wordsOf(here), ...cache])
      expect([line, ran.code, ran.err]).toEqual([line, 0, expect.any(String)])
    }
    const read = (name: string): Trace => JSON.parse(readFileSync(join(folder, name), 'utf8').split('\n')[0] ?? '')
    expect(read('judged.jsonl').verdict?.firstError).toBe(1)
    expect(read('scored.jsonl').verdict?.firstError).toBe(1)
    await judge.close()
    await toy.close()
  })
})
