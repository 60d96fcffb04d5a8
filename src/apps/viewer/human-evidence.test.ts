import { describe, expect, it } from 'vitest'
import { native } from '../../io/formats/native.ts'
import { testAt } from '../../io/formats/samples.testing.ts'
import { goldOf } from '../../prove/cases.ts'
import { withHumanEvidence } from './human-evidence.ts'
import type { Given } from './labels.ts'
import { plainTrace } from './testing/in-process.ts'

const trace = plainTrace('t', ['a', 'b', 'c'])
const given = (
  person: string,
  labels: Given['labels'],
  firstError: number | null,
  more: Partial<Given> = {},
): Given => ({
  person,
  labels,
  firstError,
  note: '',
  state: 'done',
  time: '2026-01-01T00:00:00.000Z',
  ...more,
})
const NOTHING = [null, null, null]

describe('what people say becomes evidence and labels', () => {
  it.each<[string, Given['labels'], number | null, (string | null)[], number | null, (string | undefined)[]]>([
    ['a first error alone', NOTHING, 1, ['correct', 'incorrect'], 1, ['right', 'wrong', undefined]],
    ['no error', NOTHING, -1, ['correct', 'correct', 'correct'], -1, ['right', 'right', 'right']],
    [
      'steps that lead to one',
      ['correct', 'neutral', 'incorrect'],
      null,
      ['correct', 'neutral', 'incorrect'],
      2,
      ['right', 'neutral', 'wrong'],
    ],
    [
      'a gap before the error',
      ['correct', null, 'incorrect'],
      null,
      ['correct', 'incorrect'],
      null,
      ['right', undefined, 'wrong'],
    ],
    [
      'doubt before the error',
      ['correct', 'unsure', 'incorrect'],
      null,
      ['correct', null, 'incorrect'],
      null,
      ['right', undefined, 'wrong'],
    ],
    [
      'doubt, and a first error all the same',
      ['correct', 'unsure', null],
      2,
      ['correct', null, 'incorrect'],
      2,
      ['right', undefined, 'wrong'],
    ],
    ['nothing at all', NOTHING, null, [], null, []],
  ])('%s', (_, labels, firstError, verdicts, first, classes) => {
    const labelled = withHumanEvidence(trace, [given('Ada', labels, firstError)])
    expect(native.read(labelled, testAt())).toEqual([labelled])
    expect(labelled.evidence!.map((e) => (e.kind === 'human' ? e.verdict : 'none'))).toEqual(verdicts)
    const gold = goldOf(labelled)
    expect([gold?.firstError ?? null, gold?.classes ?? []]).toEqual([first, classes])
  })

  it('is added to what the trace has', () => {
    const before = withHumanEvidence(trace, [given('Ada', NOTHING, 1)])
    const after = withHumanEvidence(before, [given('Bob', NOTHING, 0)])
    expect(after.evidence!.slice(0, 2)).toEqual(before.evidence)
    expect(after.labels!.length).toBeGreaterThan(before.labels!.length)
  })

  it('keeps every voice, and labels by the last decision', () => {
    const decide = (firstError: number) => given('Cy', NOTHING, firstError, { state: 'adjudicated' })
    const voices = [given('Ada', NOTHING, 1, { note: 'here' }), given('Bob', NOTHING, 0), decide(1), decide(2)]
    const { evidence, labels } = withHumanEvidence(trace, voices)
    expect([...new Set(evidence!.map((e) => e.source))]).toEqual(['human:Ada', 'human:Bob', 'human:Cy (adjudication)'])
    expect(evidence).toContainEqual({ kind: 'human', source: 'human:Ada', step: 1, verdict: 'incorrect', note: 'here' })
    expect(labels!.find((l) => l.meaning === 'first-error')).toEqual({
      meaning: 'first-error',
      value: 2,
      source: 'human:Cy',
    })
  })
})
