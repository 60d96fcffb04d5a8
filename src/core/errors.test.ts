import { describe, expect, it } from 'vitest'
import { explain, GradusError } from './errors.ts'

describe('an error', () => {
  const error = new GradusError('GRD-IO-003', {
    where: { file: 'run.jsonl', line: 1204, field: 'label' },
    found: 'label 7, but the trace has 6 steps',
    expected: '-1 (no error) or 0 to 5, counted from 0',
    try: ['gradus inspect run.jsonl', '--base 1'],
  })

  it('reads as one block: code, where, found, expected, what to try', () => {
    expect(explain(error)).toBe(
      [
        'error GRD-IO-003  labels do not match steps',
        '  where     run.jsonl, line 1,204, field label',
        '  found     label 7, but the trace has 6 steps',
        '  expected  -1 (no error) or 0 to 5, counted from 0',
        '  try       gradus inspect run.jsonl',
        '            --base 1',
      ].join('\n'),
    )
  })

  it('is the same error again where a program read it', () => {
    const again = GradusError.fromJSON(JSON.parse(JSON.stringify(error)))
    expect([explain(again), again.code]).toEqual([explain(error), error.code])
    expect(GradusError.fromJSON({ code: 'GRD-NO-001' })).toMatchObject({ code: 'GRD-CORE-001' })
    expect(GradusError.fromJSON(null)).toMatchObject({ code: 'GRD-CORE-001', found: 'null' })
  })

  it('is data for a program', () => {
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      code: 'GRD-IO-003',
      where: { line: 1204 },
      try: ['gradus inspect run.jsonl', '--base 1'],
    })
  })
})
