import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { callVerb } from '../cli/testing/run-gradus.ts'
import { inspect } from '../cli/verbs/inspect.ts'
import { packageRoot } from '../package-root.ts'
import { inspectTraces } from './inspect-traces.ts'
import { ask, plainServices, textOf } from './testing/ask.ts'

const EXAMPLES = join(packageRoot(), 'examples', 'traces')
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradus-mcp-inspect-')))
afterAll(() => rmSync(folder, { recursive: true }))

describe('inspect_traces', () => {
  it.each(['agents.jsonl', 'code.jsonl', 'mathematics.jsonl'])('says what gradus inspect says of %s', async (path) => {
    const known = JSON.parse((await callVerb(inspect, [join(EXAMPLES, path), '--json'])).out)
    const { structuredContent } = await ask(inspectTraces, { path }, plainServices(EXAMPLES))
    const { format, container, records, traces: runs, steps, labels, firstErrors, balance, generators } = known
    expect(structuredContent).toMatchObject({
      format,
      container,
      records,
      runs,
      steps,
      labels,
      firstErrors,
      generators,
    })
    expect(structuredContent).toMatchObject({ stepLabels: balance, leftOut: 0, problems: [] })
  })

  it('names the first ids, and what cannot be read, with the line', async () => {
    const source = { generator: '', dataset: '', licence: '' }
    const run = (id: string) => JSON.stringify({ id, problem: { id, prompt: 'p' }, steps: [], source })
    const lines = Array.from({ length: 30 }, (_, i) => run(`run-${i}`))
    writeFileSync(
      join(folder, 'a.jsonl'),
      [...lines.slice(0, 3), '{"id": ', run('run-1'), ...lines.slice(3)].join('\n'),
    )
    const result = await ask(inspectTraces, { path: 'a.jsonl' }, plainServices(folder))
    expect(result.structuredContent).toMatchObject({
      runs: 30,
      ids: Array.from({ length: 20 }, (_, i) => `run-${i}`),
      leftOut: 2,
      problems: [
        { code: 'GRD-IO-005', where: expect.stringContaining('line 4') },
        { code: 'GRD-IO-008', where: expect.stringContaining('line 5') },
      ],
    })
    expect(textOf(result)).toContain('run-19, ...')
  })
  it('gives ids back as they are, though they look like keys, and takes known keys out', async () => {
    const ids = ['chatcmpl-DLVlvMVVgicVbWPyrmMTj37wtVpgd', `sk-${'Ab3'.repeat(12)}`]
    const source = { generator: '', dataset: '', licence: '' }
    const runs = ids.map((id) => JSON.stringify({ id, problem: { id, prompt: 'p' }, steps: [], source }))
    writeFileSync(join(folder, 'ids.jsonl'), runs.join('\n'))
    const result = await ask(inspectTraces, { path: 'ids.jsonl' }, plainServices(folder))
    expect(result.structuredContent).toMatchObject({ ids: [ids[0], '[redacted:provider-key]'] })
    expect(textOf(result)).toContain(ids[0])
    expect(textOf(result)).not.toContain(ids[1])
  })
})
