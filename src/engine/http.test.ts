import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpClient } from './http.ts'

const servers: Server[] = []
async function listen(server: Server): Promise<URL> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})
const signal = new AbortController().signal

describe('http client', () => {
  it('says what a peer is that does not speak HTTP', async () => {
    const url = await listen(createTcpServer((socket) => socket.resume().end('SSH-2.0-server\r\n')))
    await expect(new HttpClient().call({ method: 'GET', url, signal })).rejects.toMatchObject({ code: 'GRD-CALL-007' })
    const https = new URL(url.href.replace('http:', 'https:'))
    await expect(new HttpClient().call({ method: 'GET', url: https, signal })).rejects.toMatchObject({
      code: 'GRD-CALL-001',
    })
  })

  it('says that a connection was closed without an answer', async () => {
    const url = await listen(createTcpServer((socket) => void socket.once('data', () => socket.destroy())))
    await expect(new HttpClient().call({ method: 'POST', url, body: 'x', signal })).rejects.toMatchObject({
      code: 'GRD-CALL-006',
    })
  })

  it('says that a name does not exist', async () => {
    const url = new URL('http://no-such-host.invalid/')
    await expect(new HttpClient().call({ method: 'GET', url, signal })).rejects.toMatchObject({
      code: 'GRD-CALL-001',
      try: ['check that the server runs and that the address is right'],
    })
  })

  it('counts bytes, not characters, and gives them back whole in whatever pieces they come', async () => {
    const url = await listen(
      createServer((request, response) => {
        const parts: Buffer[] = []
        request.on('data', (part: Buffer) => parts.push(part))
        request.on('end', async () => {
          for (const byte of Buffer.concat(parts)) {
            response.write(Buffer.from([byte]))
            await new Promise((resolve) => setImmediate(resolve))
          }
          response.end()
        })
      }),
    )
    const client = new HttpClient()
    const body = 'Schritt für Schritt: 一步一步 𝔸'
    const reply = await client.call({ method: 'POST', url, body, signal })
    expect(await reply.text()).toBe(body)
    client.close()
  })

  it('ends with the reason of its signal, before and during the answer', async () => {
    const url = await listen(
      createServer((_, response) => {
        response.write('begun')
      }),
    )
    const leaving = new AbortController()
    const reply = await new HttpClient().call({ method: 'GET', url, signal: leaving.signal })
    const text = reply.text()
    leaving.abort(new Error('mine'))
    await expect(text).rejects.toThrow('mine')
    await expect(new HttpClient().call({ method: 'GET', url, signal: leaving.signal })).rejects.toThrow('mine')
  })
})
