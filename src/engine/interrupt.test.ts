import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Counts } from './engine.ts'
import { startTestServer } from './testing/openai-server.ts'

const CHILD = join(import.meta.dirname, 'testing', 'interrupt-run.ts')

/** Starts the child, interrupts it when it is at work, and gives its lines and its exit code. */
async function interrupted(latencyMs: number, act: (child: ChildProcess, requests: () => number) => Promise<void>) {
  const server = await startTestServer({ latencyMs })
  const child = spawn(process.execPath, [CHILD, server.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data) => (output += String(data)))
  const exit = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
  await act(child, () => server.requests)
  const code = await exit
  await server.close()
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  return { code, lines, counts: lines.at(-1) as Counts, requests: server.requests }
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe('Ctrl-C', () => {
  it('once: what is under way arrives, nothing more is sent, the counts are exact', async () => {
    const { code, lines, counts, requests } = await interrupted(50, async (child, seen) => {
      await until(() => seen() >= 12)
      child.kill('SIGINT')
    })
    expect(code).toBe(130)
    expect(lines).toContainEqual({ calls: 4, second: false })
    expect(counts.kept).toBe(requests)
    expect(counts.kept + counts.unfinished).toBe(counts.asked)
  })

  it('twice: ends at once, though the server hangs', async () => {
    const { code, counts } = await interrupted(60_000, async (child, seen) => {
      await until(() => seen() >= 4)
      child.kill('SIGINT')
      await new Promise((resolve) => setTimeout(resolve, 50))
      child.kill('SIGINT')
    })
    expect(code).toBe(130)
    expect(counts).toMatchObject({ kept: 0, requests: 4 })
    expect(counts.unfinished).toBe(counts.asked)
  })
})
