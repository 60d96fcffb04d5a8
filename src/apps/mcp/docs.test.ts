import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { packageRoot } from '../package-root.ts'
import { TOOLS } from './index.ts'
import { connect } from './testing/client.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 60_000 })

const page = readFileSync(join(packageRoot(), 'docs', 'mcp.md'), 'utf8')
const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => JSON.parse(text))

interface Example {
  name: string
  arguments: Record<string, unknown>
}

describe('docs/mcp.md', () => {
  it('has the command line of the server in every configuration', () => {
    const { mcpServers } = blocks[0] as { mcpServers: { gradus: { args: string[] } } }
    const { servers } = blocks[1] as { servers: { gradus: { args: string[] } } }
    for (const { args } of [mcpServers.gradus, servers.gradus]) expect(args.slice(0, 2)).toEqual(['gradus', 'mcp'])
  })

  it('shows every tool with a call and the answer that it really gets', async () => {
    const { client: plain } = await connect([])
    const { client: scoring } = await connect(['--reward', 'oracle'])
    try {
      const shown = blocks.slice(2) as [Example, unknown]
      const names = new Set<string>()
      for (let i = 0; i < shown.length; i += 2) {
        const example = shown[i] as Example
        const { structuredContent, isError } = await (example.name === 'score_steps' ? scoring : plain).callTool(
          example,
        )
        expect([example.name, isError, structuredContent]).toEqual([example.name, undefined, shown[i + 1]])
        names.add(example.name)
        expect(page).toContain(`### ${example.name}\n`)
      }
      expect([...names].sort()).toEqual(TOOLS.map((t) => t.name).sort())
    } finally {
      await plain.close()
      await scoring.close()
    }
  })
})
