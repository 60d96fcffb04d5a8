import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../core/seeds.ts'
import { Engine } from '../engine.ts'
import { startTestServer } from './openai-server.ts'

const CHILD = join(import.meta.dirname, 'kill-run.ts')

export interface KillReport {
  kills: number
  /** Are the bytes those of a run that nobody disturbed? */
  equal: boolean
  needed: number
  requests: number
  /**
   * Requests that the server was working on at the moments of the kills, added up; it cannot see what is on the wire.
   */
  workingAtKills: number
  /** Requests under way by the client's journal: sent, and their end not known. */
  inFlightAtKills: number
  concurrency: number
  lines: number
}

/** Runs the child again and again, kills it with SIGKILL at random moments, and lets it finish in the end. */
export async function killAndResume(samples: number, kills: number, draw: Random): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-kill-'))
  const concurrency = 16
  const latencyMs = 20
  try {
    const calm = await startTestServer({ latencyMs })
    const undisturbed = join(folder, 'undisturbed.jsonl')
    await run([calm.url, join(folder, 'calm.db'), undisturbed, String(samples), String(concurrency)])
    const needed = calm.requests
    await calm.close()

    const server = await startTestServer({ latencyMs })
    const output = join(folder, 'killed.jsonl')
    const args = [server.url, join(folder, 'killed.db'), output, String(samples), String(concurrency)]
    let killed = 0
    let workingAtKills = 0
    while (!existsSync(output)) {
      const before = server.requests
      // Some kills hit the start of the process, most the middle of the run.
      const untilRequests = before + draw.below(Math.ceil((1.6 * samples) / Math.max(1, kills)))
      await run(args, killed >= kills ? undefined : () => server.requests >= untilRequests, (hit) => {
        if (!hit) return
        killed++
        workingAtKills += server.working
      })
      if (killed < kills && existsSync(output)) break
    }
    const engine = new Engine({ path: join(folder, 'killed.db'), run: 'kill' })
    const inFlightAtKills = engine.history().attempts.sent
    await engine.close()
    const report: KillReport = {
      kills: killed,
      equal: readFileSync(output).equals(readFileSync(undisturbed)),
      needed,
      requests: server.requests,
      workingAtKills,
      inFlightAtKills,
      concurrency,
      lines: readFileSync(output, 'utf8').split('\n').length - 1,
    }
    await server.close()
    return report
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param when looked at each millisecond; kills the child once true */
function run(args: string[], when?: () => boolean, ended: (hit: boolean) => void = () => undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    let hit = false
    const timer = when
      ? setInterval(() => {
          if (hit || !when()) return
          hit = true
          // Counted in the same turn: the server cannot answer anything between count and kill.
          ended(true)
          child.kill('SIGKILL')
        }, 1)
      : undefined
    child.on('error', reject)
    child.on('exit', (code) => {
      clearInterval(timer)
      if (!hit && code !== 0) reject(new Error(`the child ended with ${code}`))
      else resolve()
    })
  })
}
