import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { GradusError } from '../../core/errors.ts'

export interface Listening {
  server: ServerType
  port: number
  /** Rejects when the server breaks. */
  failed: Promise<never>
}

/**
 * Answers on the loopback address.
 * @param port 0 = any free one
 * @throws GradusError GRD-SERVE-003
 */
export async function listenOn(
  fetch: (request: Request) => Response | Promise<Response>,
  port: number,
): Promise<Listening> {
  const server = serve({ fetch, hostname: '127.0.0.1', port })
  // Not `once(server, 'listening')`, which would throw the system's error itself.
  const listening = new Promise<void>((resolve) => server.once('listening', resolve))
  const failed = once(server, 'error').then(([cause]: unknown[]): never => {
    throw new GradusError('GRD-SERVE-003', {
      found: cause instanceof Error ? cause.message : String(cause),
      try: ['--port 0   (any free port)'],
      cause,
    })
  })
  await Promise.race([listening, failed])
  return { server, port: (server.address() as AddressInfo).port, failed }
}
