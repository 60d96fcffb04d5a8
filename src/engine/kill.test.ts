import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { killAndResume } from './testing/kill.ts'

describe('kill -9', () => {
  it('costs at most what was under way, and the resumed run ends with the same bytes', async () => {
    const report = await killAndResume(240, 3, random('kill-test/fast'))
    expect(report).toMatchObject({ kills: 3, equal: true, lines: 240 })
    expect(report.requests - report.needed).toBeLessThanOrEqual(report.inFlightAtKills)
    expect(report.inFlightAtKills).toBeLessThanOrEqual(3 * report.concurrency)
  })
})
