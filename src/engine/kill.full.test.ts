import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { killAndResume } from './testing/kill.ts'

describe('kill -9, 30 times', () => {
  it('costs at most what was under way, and the resumed run ends with the same bytes', {
    timeout: 240_000,
  }, async () => {
    const report = await killAndResume(2000, 30, random('kill-test/full'))
    expect(report).toMatchObject({ kills: 30, equal: true, lines: 2000 })
    expect(report.requests - report.needed).toBeLessThanOrEqual(report.inFlightAtKills)
    expect(report.inFlightAtKills).toBeLessThanOrEqual(30 * report.concurrency)
  })
})
