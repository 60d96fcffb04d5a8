import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { killAndResume } from './testing/kill.ts'

describe('kill -9', () => {
  it('costs at most what was under way, and the resumed run ends with the same bytes', async () => {
    const report = await killAndResume(400, 4, random('kill-test/fast'))
    expect(report).toMatchObject({ kills: 4, equal: true, lines: 400 })
    expect(report.requests - report.needed).toBeLessThanOrEqual(report.inFlightAtKills)
    expect(report.inFlightAtKills).toBeLessThanOrEqual(4 * report.concurrency)
  })
})
