import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { half } from '../../core/split.ts'
import type { Trace } from '../../core/words.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { probeLevels } from '../sandbox/index.ts'
import { pythonExecution } from './python-execution.ts'

const here = !noData('reflexion-runs')
const isolated = (await probeLevels()).some((l) => l.available && l.isolating && l.languages.includes('python'))
const unless = !here ? ' (GRADUS_DATA is not set)' : isolated ? '' : ' (no isolating level runs Python here)'

interface Row {
  prompt: string
  test: string
  entry_point: string
  solution: string
  is_solved: boolean
}

function asTrace(row: Row): Trace {
  const code = row.solution.includes(`def ${row.entry_point}`) ? row.solution : row.prompt + row.solution
  const tests = /^def check\(/m.test(row.test) ? `${row.test}\ncheck(${row.entry_point})` : row.test
  return {
    id: row.entry_point,
    problem: { id: row.entry_point, prompt: row.prompt, context: [{ kind: 'tests', language: 'python', code: tests }] },
    steps: [{ text: `\`\`\`python\n${code}\n\`\`\``, kind: 'answer' }],
    source: { generator: 'unknown', dataset: 'reflexion-runs', licence: 'MIT' },
  }
}

/** Solutions of models with the outcome that the source recorded; report half, about a minute. */
describe.skipIf(unless !== '')(`python-execution on model solutions${unless}`, () => {
  it.each(['reflexion_humaneval_py_pass_at_1', 'simple_human_eval_py_logging', 'simple_mbpp_py'])(
    'agrees with the recorded outcome of %s',
    async (name) => {
      const text = gunzipSync(readFileSync(dataFile('reflexion-runs/programming', `${name}.jsonl.gz`))).toString('utf8')
      const rows: Row[] = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      const counts: Record<string, number> = {}
      for (const row of rows.filter((r) => half(r.prompt) === 'report')) {
        const [finding] = await pythonExecution.verify(asTrace(row), { allowCode: true, allowLocalExec: false })
        const key = `${finding?.verdict} ${row.is_solved ? 'solved' : 'unsolved'}`
        counts[key] = (counts[key] ?? 0) + 1
      }
      console.info(`python-execution, ${name}, report half`, counts)
      const total = Object.values(counts).reduce((a, b) => a + b, 0)
      const agreed = (counts['correct solved'] ?? 0) + (counts['incorrect unsolved'] ?? 0)
      expect(agreed / total).toBeGreaterThan(0.97)
    },
    180_000,
  )
})
