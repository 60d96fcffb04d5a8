import { describe, expect, it } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { startToyServer } from '../../models/rewards/testing/prm-server.ts'
import { openBody } from './open-body.ts'

describe('a body by its name', () => {
  it('reads hidden states of an endpoint, alone and beside step features', async () => {
    const server = await startToyServer({ tokens: {}, head: { kind: 'states', sees: 'left' } })
    const engine = new Engine()
    try {
      const settings = { traces: [], engine }
      const alone = await openBody(`hidden:${server.url}#toy`, settings)
      const joined = await openBody(`features+hidden:${server.url}#toy`, settings)
      const steps = ['1 + 1 = 2', '2 + 2 = 5'].map((text) => ({ text, kind: 'thought' as const }))
      const line = { problem: { id: 'p', prompt: 'Add.' }, steps }
      const [[own], [both]] = [await alone.features([line]), await joined.features([line])]
      if (!own?.ok || !both?.ok) throw new Error('no features')
      expect(alone.width).toBe(4)
      // The states stand behind the features of each step.
      const { width } = joined
      for (const step of [0, 1]) {
        const states = own.features.slice(4 * step, 4 * step + 4)
        expect(both.features.slice((step + 1) * width - 4, (step + 1) * width)).toEqual(states)
      }
      await expect(openBody('hidden:nowhere', settings)).rejects.toMatchObject({ code: 'GRD-CLI-002' })
    } finally {
      await engine.close()
      await server.close()
    }
  })
})
