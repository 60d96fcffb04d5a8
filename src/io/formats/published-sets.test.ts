import { readFileSync } from 'node:fs'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { DATA, dataFile, noData } from '../../testing/data.ts'
import { formatNamed, openTraces, type ReadReport, readTraces } from '../read.ts'
import { traceWriter } from '../write.ts'

/** Every source record of a folder, with what the README's table says of it. */
async function readFolder(
  set: string,
  wanted: RegExp,
): Promise<{ records: number; traces: Trace[]; reports: ReadReport[] }> {
  const names = (await readdir(dataFile(set))).filter((n) => wanted.test(n)).sort()
  const reports: ReadReport[] = []
  const traces: Trace[] = []
  for (const name of names) {
    const read = await readTraces(dataFile(set, name))
    reports.push(read.report)
    traces.push(...read.traces)
  }
  return { records: reports.reduce((a, r) => a + r.records, 0), traces, reports }
}

function raw(...parts: string[]): unknown {
  const bytes = readFileSync(dataFile(...parts))
  return JSON.parse((parts.at(-1)!.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'))
}

const firstErrors = (traces: readonly Trace[]): (number | null)[] =>
  traces.flatMap((t) => (t.labels ?? []).flatMap((l) => (l.meaning === 'first-error' ? [l.value] : [])))

describe.skipIf(noData('mr-ben'))('MR-Ben (needs the public data)', () => {
  it('1,017 records give 3,027 traces; labels count from 0 and equal the text of the file', async () => {
    const { records, traces, reports } = await readFolder('mr-ben', /json/)
    expect([records, traces.length]).toEqual([1017, 3027])
    expect(reports.map((r) => r.format)).toEqual(new Array(6).fill('mr-ben'))
    expect(reports.reduce((a, r) => a + (r.rejectedByCode['GRD-IO-003'] ?? 0), 0)).toBe(1)
    const biology = raw('mr-ben', 'biology.json.gz') as Record<string, { Model_Solution_First_Error_Step: string }[]>
    const stated = Object.values(biology)
      .flat()
      .map((s) => (/N\/A/.test(s.Model_Solution_First_Error_Step) ? -1 : Number(s.Model_Solution_First_Error_Step) - 1))
    expect(firstErrors((await readTraces(dataFile('mr-ben', 'biology.json.gz'))).traces)).toEqual(stated)
  })

  it('in the coding part the labelled step is the line that the file quotes', async () => {
    const { traces } = await readTraces(dataFile('mr-ben', 'coding.json.gz'))
    for (const t of traces) {
      const label = t.labels?.find((l) => l.meaning === 'first-error')
      const said = t.evidence?.[0]
      if (label?.value === undefined || label.value === null || label.value < 0 || said?.kind !== 'imported') continue
      expect(String(said.raw).trim()).toContain(t.steps[label.value]!.text.trim())
    }
  })
})

describe.skipIf(noData('mr-gsm8k'))('MR-GSM8K (needs the public data)', () => {
  it("judges' runs: people's step and the judge's verdict, both from 1 in the file", async () => {
    const { records, traces } = await readFolder('mr-gsm8k/judge_runs', /json/)
    expect([records, traces.length]).toEqual([533, 533])
    const rows = raw('mr-gsm8k', 'judge_runs', 'Claude_eval_results.json.gz') as {
      model_output_solution_first_error_step: number
      claude2_eval_output: { error_step_pred: string }
    }[]
    const { traces: claude } = await readTraces(dataFile('mr-gsm8k', 'judge_runs', 'Claude_eval_results.json.gz'))
    expect(firstErrors(claude)).toEqual(rows.map((r) => Number(r.model_output_solution_first_error_step) - 1))
    expect(claude.map((t) => t.verdict?.firstError)).toEqual(
      rows.map((r) => Number(r.claude2_eval_output.error_step_pred) - 1),
    )
  })
})

describe.skipIf(noData('prmbench'))('PRMBench (needs the public data)', () => {
  it('4,075 records; every label is a step that exists, every step past the end is counted', async () => {
    const { records, traces, reports } = await readFolder('prmbench', /jsonl/)
    expect([records, traces.length]).toEqual([4075, 4075])
    const past = reports.reduce((a, r) => a + (r.oddities['error step past the end']?.count ?? 0), 0)
    const rows = (await readdir(dataFile('prmbench')))
      .filter((n) => /jsonl/.test(n))
      .flatMap((n) =>
        gunzipSync(readFileSync(dataFile('prmbench', n)))
          .toString()
          .trim()
          .split('\n')
          .map((l) => JSON.parse(l) as { error_steps: number[]; modified_process: string[] }),
      )
    expect(past).toBe(rows.filter((r) => r.error_steps.some((s) => s < 1 || s > r.modified_process.length)).length)
    const wrong = traces.reduce(
      (a, t) => a + (t.labels ?? []).filter((l) => l.meaning === 'correctness' && l.value === 0).length,
      0,
    )
    const unlabelled = reports.reduce((a, r) => a + (r.rejectedByCode['GRD-IO-003'] ?? 0), 0)
    expect(unlabelled).toBe(
      rows.filter((r) => r.error_steps.length > 0 && r.error_steps.every((s) => s < 1 || s > r.modified_process.length))
        .length,
    )
    expect(wrong).toBe(
      rows.reduce((a, r) => a + new Set(r.error_steps.filter((s) => s >= 1 && s <= r.modified_process.length)).size, 0),
    )
  })

  it('groups by the original question, whatever the perturbation', async () => {
    const { traces } = await readFolder('prmbench', /test_p1.*circular|test_p1.*deception/)
    const prompts = new Set(traces.map((t) => t.problem.prompt)).size
    const questions = new Set(traces.map((t) => t.problem.id)).size
    expect(questions).toBeLessThan(prompts)
  })
})

describe.skipIf(noData('parc-perl'))('PARC (needs the public data)', () => {
  it('542 records; flags are those of the file', async () => {
    const { records, traces, reports } = await readFolder('parc-perl', /json/)
    expect([records, traces.length]).toEqual([542, 542])
    expect(reports.every((r) => r.format === 'parc')).toBe(true)
    const rows = raw('parc-perl', 'gsm8k_negatives.json.gz') as {
      error_annotation: { error_annotations: { step_level: { has_error: boolean }[] } }
    }[]
    const { traces: negatives } = await readTraces(dataFile('parc-perl', 'gsm8k_negatives.json.gz'))
    const flags = rows.map((r) => r.error_annotation.error_annotations.step_level.map((s) => (s.has_error ? 0 : 1)))
    expect(
      negatives.map((t) => (t.labels ?? []).flatMap((l) => (l.meaning === 'correctness' ? [l.value] : []))),
    ).toEqual(flags)
  })
})

describe.skipIf(noData('roscoe'))('ROSCOE (needs the public data)', () => {
  it('1,926 records under `instances`; the judged step is found in the response', async () => {
    const { records, traces, reports } = await readFolder('roscoe', /json/)
    expect([records, traces.length]).toEqual([1926, 1926])
    const stepwise = traces.filter((t) => t.id.includes('stepwise'))
    const lost = reports.reduce((a, r) => a + (r.oddities['judged step is not in the response']?.count ?? 0), 0)
    expect(stepwise.filter((t) => t.labels?.length === 1).length + lost).toBe(stepwise.length)
    expect(lost).toBeLessThan(20)
  })
})

describe.skipIf(noData('who-and-when'))('Who&When (needs the public data)', () => {
  it('116 records; the named agent wrote the named step but for the known exceptions', async () => {
    const { records, traces, reports } = await readFolder('who-and-when', /jsonl/)
    expect([records, traces.length]).toEqual([116, 116])
    const odd = reports.reduce(
      (a, r) => a + (r.oddities['the step was written by another agent than the label names']?.count ?? 0),
      0,
    )
    expect(odd).toBeLessThanOrEqual(7)
  })
})

describe.skipIf(noData('prm-format-samples'))('PRM formats (needs the public data)', () => {
  it('17 records in their formats', async () => {
    const { records, reports } = await readFolder('prm-format-samples', /jsonl/)
    expect(records).toBe(17)
    expect(reports.map((r) => r.format)).toEqual(['omegaprm', 'omegaprm', 'math-shepherd', 'prm800k'])
  })

  it('PRM800K: ratings along the chosen path, all completions kept', async () => {
    const { traces } = await readTraces(dataFile('prm-format-samples', 'samples_prm800k.jsonl'))
    const marks = (t: Trace): string =>
      t.steps
        .map((_, s) => t.labels?.find((l) => l.meaning === 'correctness' && l.step === s))
        .map((l) => (l === undefined ? '?' : l.value === null ? '0' : l.value === 1 ? '+' : '-'))
        .join('')
    expect(traces.map(marks)).toEqual(['+?++++', '+0++++-', '+++++', '+++++++'])
  })

  it('Math-Shepherd: tags and marks give values, and come back as they were', async () => {
    const path = dataFile('prm-format-samples', 'samples_math-shepherd.jsonl')
    const { traces } = await readTraces(path)
    const rows = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { input: string; label: string })
    expect(formatNamed('math-shepherd').write?.(traces)).toEqual(rows)
  })

  it('OmegaPRM: steps of the flat layout join to the listed prefixes', async () => {
    const { traces } = await readTraces(dataFile('prm-format-samples', 'samples_math-aps.jsonl.gz'))
    const prefixes = new Set(
      gunzipSync(readFileSync(dataFile('prm-format-samples', 'samples_math-aps.jsonl.gz')))
        .toString()
        .trim()
        .split('\n')
        .flatMap((l) =>
          (JSON.parse(l) as { reasoning_steps: { solution_prefix: string }[] }).reasoning_steps.map((s) =>
            s.solution_prefix.replace(/\s+/g, ''),
          ),
        ),
    )
    for (const t of traces) {
      let prefix = t.problem.prompt.replace(/\s+/g, '')
      for (const s of t.steps) {
        prefix += s.text.replace(/\s+/g, '')
        expect(prefixes.has(prefix)).toBe(true)
      }
    }
  })
})

describe.skipIf(noData('intercode'))('InterCode and tau-bench (needs the public data)', () => {
  it('all InterCode runs: one record a task, a reward a turn', async () => {
    let records = 0
    for (const name of await readdir(dataFile('intercode', 'runs'))) {
      const { traces, report } = await readTraces(dataFile('intercode', 'runs', name))
      expect([name, report.format, report.rejectedByCode]).toEqual([name, 'intercode', {}])
      expect(traces.length).toBe(Object.keys(raw('intercode', 'runs', name) as object).length)
      records += report.records
    }
    expect(records).toBeGreaterThan(1_000)
  })

  it('tau-bench: 200 runs, every tool result finds its call', async () => {
    const { traces, report } = await readTraces(dataFile('tau-bench', 'gpt-4o-airline.json.gz'))
    expect([report.records, traces.length, report.oddities]).toEqual([200, 200, {}])
    const rows = raw('tau-bench', 'gpt-4o-airline.json.gz') as { reward: number; traj: { role: string }[] }[]
    expect(traces.map((t) => t.outcome)).toEqual(rows.map((r) => r.reward))
    const results = rows.reduce((a, r) => a + r.traj.filter((m) => m.role === 'tool').length, 0)
    expect(
      traces.flatMap((t) => t.steps).filter((s) => s.kind === 'action' && s.observation !== undefined),
    ).toHaveLength(results)
  })
})

describe.skipIf(DATA === '')('written back (needs the public data)', () => {
  it.each([
    ['mr-ben', 'biology.json.gz'],
    ['mr-ben', 'coding.json.gz'],
    ['mr-gsm8k/judge_runs', 'Claude_eval_results.json.gz'],
    ['prmbench', 'prm800k_test_p1_4o_circular.jsonl.gz'],
    ['parc-perl', 'gsm8k_negatives.json.gz'],
    ['roscoe', 'roscoe-gsm8k-stepwise.json.gz'],
    ['who-and-when', 'hand-crafted.jsonl.gz'],
    ['prm-format-samples', 'samples_prm800k.jsonl'],
    ['tau-bench', 'gpt-4o-airline.json.gz'],
    ['intercode/runs', 'bash__gpt-4__ic_bash_multiturn_gpt-4_10_turns_fs_4.json'],
  ])('%s/%s reads the same again', async (folder, name) => {
    const { traces, report } = await readTraces(dataFile(...folder.split('/'), name))
    const copy = join(await mkdtemp(join(tmpdir(), 'gradus-')), name.replace(/\.gz$/, ''))
    const writer = await traceWriter(copy, formatNamed(report.format))
    await writer.write(traces)
    await writer.close()
    const again = await readTraces(copy)
    const plain = (list: readonly Trace[]): unknown => list.map(({ evidence: _, ...t }) => t)
    expect(plain(again.traces)).toEqual(plain(traces))
  })
})

describe.skipIf(DATA === '')('sets that hold no traces (needs the public data)', () => {
  it.each([
    ['gsm8k', 'test.jsonl.gz'],
    ['mbpp', 'mbpp.jsonl.gz'],
    ['human-eval', 'HumanEval.jsonl.gz'],
    ['webarena-tasks', 'test.raw.json.gz'],
    ['pubmedqa', 'ori_pqal.json.gz'],
    ['chemprot', 'dev.jsonl.gz'],
  ])('%s/%s is said to be no trace format', async (set, name) => {
    const files = await readdir(dataFile(set))
    const file = files.includes(name) ? name : files.find((f) => /json/.test(f))!
    await expect(openTraces(dataFile(set, file))).rejects.toMatchObject({ code: 'GRD-IO-012' })
  })
})
