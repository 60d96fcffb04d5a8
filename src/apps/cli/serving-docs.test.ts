import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockLanguageModelV4 } from 'ai/test'
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
/**
 * Runs a block of TypeScript with the sources in place of the packages.
 * @param scope names that the page leaves to the reader
 * @param instead of what a package exports
 * @returns the constants that the block ends with
 */
async function runBlock(block: string, scope: Record<string, unknown>, instead: Record<string, unknown> = {}) {
  const packages: Record<string, unknown> = {
    'gradus/ai-sdk': await import('../ai-sdk/index.ts'),
    'gradus/models': await import('../../models/index.ts'),
    'gradus/vitest': await import('../vitest/index.ts'),
    ai: await import('ai'),
    vitest: { ...(await import('vitest')), ...instead },
  }
  for (const [, names, name = ''] of block.matchAll(/^import (?:\{ ([^}]+) \} from )?'([^']+)'$/gm)) {
    expect(Object.keys(packages[name] ?? {})).toEqual(expect.arrayContaining(names?.split(', ') ?? []))
  }
  const body = block.replace(
    /^import (?:(\{ [^}]+ \}) from )?'([^']+)'$/gm,
    (_, names: string | undefined, name: string) =>
      names === undefined ? '' : `const ${names} = packages[${JSON.stringify(name)}]`,
  )
  const constants = [...body.matchAll(/^const (?:\{ )?(\w+)(?: \})? = /gm)].map(([, name]) => name)
  const names = [...Object.keys(scope), 'packages']
  const whole = `return (async () => { ${stripTypeScriptTypes(body)}\n return { ${constants.join(', ')} } })()`
  return (await new Function(...names, whole)(...Object.values(scope), packages)) as Record<string, unknown>
}
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

  it('has TypeScript that runs as written: an AI SDK program, and tests of an agent', async () => {
    const [program = '', tests = '', ...more] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block)
    expect(more).toEqual([])
    // Of eight answers one is right; the reward model is the one that the page has trained.
    let calls = 0
    const yourModel = new MockLanguageModelV4({
      doGenerate: async () => ({
        content: [
          {
            type: 'text',
            text:
              ++calls === 6 ? '17+28=45\n\n45-5=40\n\nThe answer is 40.' : '17+28=35\n\n35-5=30\n\nThe answer is 30.',
          },
        ],
        finishReason: { unified: 'stop', raw: undefined },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
          outputTokens: { total: 1, text: 1, reasoning: undefined },
        },
        warnings: [],
      }),
    })
    const said = await runBlock(program.replace("'model.json'", JSON.stringify(join(folder, 'model.json'))), {
      yourModel,
    })
    expect([said['text'], calls]).toEqual(['17+28=45\n\n45-5=40\n\nThe answer is 40.', 8])

    const traceOf = (...steps: string[]): Trace => ({
      id: 'run',
      problem: { id: 'run', prompt: '17 + 28 - 5' },
      steps: steps.map((text) => ({ text, kind: 'thought' })),
      source: { generator: '', dataset: '', licence: '' },
    })
    const named: [string, () => Promise<void>][] = []
    const it = (name: string, body: () => Promise<void>): void => void named.push([name, body])
    for (const [trace, right] of [
      [traceOf('17 + 28 = 45', '45 - 5 = 40'), true],
      [traceOf('17 + 28 = 45', '45 - 5 = 30'), false],
    ] as const) {
      await runBlock(tests, { trace }, { it })
      const [name, body] = named.pop() ?? []
      expect(name).toBe('books without a wrong step')
      const ended = await body?.().then(
        () => 'passed',
        (error: unknown) => String(error),
      )
      expect(ended).toMatch(right ? /^passed$/ : /expected no wrong step/)
    }
  })

  it('prints a client for verl', async () => {
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
