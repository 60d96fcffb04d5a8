import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { packageRoot } from '../../package-root.ts'

const BIN = join(packageRoot(), 'bin', 'gradus.mjs')

/** The official client, connected to `gradus mcp` in a process of its own. */
export async function connect(
  args: readonly string[],
  cwd = packageRoot(),
  env: Record<string, string> = {},
): Promise<{ client: Client; transport: StdioClientTransport; log(): string }> {
  const command = { command: process.execPath, args: [BIN, 'mcp', ...args], cwd, env, stderr: 'pipe' as const }
  const transport = new StdioClientTransport(command)
  let log = ''
  transport.stderr?.on('data', (data: Buffer) => (log += data.toString()))
  const client = new Client({ name: 'gradus-test', version: '1' })
  await client.connect(transport)
  return { client, transport, log: () => log }
}

interface Message {
  id?: number | string
  result?: Record<string, unknown>
  error?: { code: number; message: string }
}

export interface Wire {
  child: ChildProcess
  /** Every line of standard output so far. */
  lines: string[]
  send(text: string): void
  request(id: number, method: string, params: object): void
  /** The answer to the request of that id. */
  answer(id: number): Promise<Message>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** The same server without a client: whoever tests writes the bytes. Already initialised. */
export async function bareWire(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Wire> {
  const options = { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] as ['pipe', 'pipe', 'ignore'] }
  const child = spawn(process.execPath, [BIN, 'mcp', ...args], options)
  child.stdin.on('error', () => {})
  const lines: string[] = []
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  const waiting = new Map<number | string, (message: Message) => void>()
  const early = new Map<number | string, Message>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    const message = JSON.parse(line) as Message
    if (message.id === undefined) return
    early.set(message.id, message)
    waiting.get(message.id)?.(message)
  })
  const wire: Wire = {
    child,
    lines,
    ended,
    send: (text) => void child.stdin.write(text),
    request: (id, method, params) => wire.send(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`),
    answer: (id) => {
      const known = early.get(id)
      return known ? Promise.resolve(known) : new Promise((resolve) => waiting.set(id, resolve))
    },
  }
  const clientInfo = { name: 'bare', version: '1' }
  wire.request(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
  await wire.answer(0)
  wire.send(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  return wire
}
