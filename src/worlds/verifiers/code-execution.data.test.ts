import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { probeLevels } from '../sandbox/index.ts'
import { pythonExecution } from './python-execution.ts'

const here = !noData('human-eval') && !noData('mbpp')
const isolated = (await probeLevels()).some((l) => l.available && l.isolating && l.languages.includes('python'))
const unless = !here ? ' (GRADUS_DATA is not set)' : isolated ? '' : ' (no isolating level runs Python here)'

const read = (file: string): string => gunzipSync(readFileSync(dataFile(file))).toString('utf8')

interface Task {
  id: string
  code: string
  tests: string
}

function humanEval(count: number): Task[] {
  const rows: Record<'task_id' | 'prompt' | 'canonical_solution' | 'test' | 'entry_point', string>[] = read(
    'human-eval/HumanEval.jsonl.gz',
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return rows.slice(0, count).map((r) => ({
    id: r.task_id,
    code: r.prompt + r.canonical_solution,
    tests: `${r.test}\ncheck(${r.entry_point})`,
  }))
}

function mbpp(count: number): Task[] {
  const rows: { task_id: number; gold: string; tests: string[]; test_setup_code: string }[] = JSON.parse(
    read('mbpp/ic_mbpp.json.gz'),
  )
  return rows.slice(0, count).map((r) => ({
    id: `MBPP/${r.task_id}`,
    code: r.gold,
    tests: [r.test_setup_code, ...r.tests].join('\n'),
  }))
}

/** A wrong solution that still runs: every function returns something else. */
function mutated(code: string): string {
  return code.replace(/^(\s+)return (.+)$/gm, '$1return ("gradus", $2)')
}

async function verdict(task: Task, code: string): Promise<string> {
  const trace: Trace = {
    id: task.id,
    problem: { id: task.id, prompt: '', context: [{ kind: 'tests', language: 'python', code: task.tests }] },
    steps: [{ text: `\`\`\`python\n${code}\n\`\`\``, kind: 'answer' }],
    source: { generator: 'reference', dataset: 'human-eval', licence: 'MIT' },
  }
  const [finding] = await pythonExecution.verify(trace, { allowCode: true, allowLocalExec: false })
  return finding?.verdict ?? 'none'
}

describe.skipIf(unless !== '')(`python-execution on reference solutions${unless}`, () => {
  it.each([
    ['HumanEval', () => humanEval(6)],
    ['MBPP', () => mbpp(6)],
  ])('%s: the reference passes, the changed one fails', async (_, tasks) => {
    for (const task of tasks()) {
      expect([task.id, await verdict(task, task.code)]).toEqual([task.id, 'correct'])
      expect([task.id, await verdict(task, mutated(task.code))]).toEqual([task.id, 'incorrect'])
    }
  })
})
