import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server } from '../testing/s3-server.ts'
import { storeAt } from './index.ts'
import { s3Store } from './s3.ts'
import type { ObjectStore } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-stores-'))
let server: S3Server
beforeAll(async () => {
  server = await startS3Server()
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await server.close()
})

const stores: [string, () => Promise<ObjectStore>][] = [
  ['a folder', () => storeAt(join(folder, 'store'))],
  ['an S3 server', async () => s3Store('s3://bucket/some prefix/', server.env)],
  ['an S3 server, without prefix', async () => s3Store('s3://other', server.env)],
]

describe.each(stores)('%s', (_, open) => {
  it('gives back the bytes that were put last, and their sizes by prefix', async () => {
    const store = await open()
    const odd = "job/output/a b+ü&('*).jsonl"
    await store.put('job/output/1', Buffer.from('first'))
    await store.put('job/output/1', Buffer.from([0, 255, 10]))
    for (let i = 2; i < 9; i++) await store.put(`job/output/${i}`, Buffer.alloc(i))
    await store.put(odd, Buffer.from('x'))
    await store.put('job/input/1', Buffer.from('elsewhere'))
    expect([...(await store.get('job/output/1'))]).toEqual([0, 255, 10])
    expect((await store.get(odd)).toString()).toBe('x')
    const sizes = await store.sizes('job/output/')
    expect([...sizes.values()].sort()).toEqual([1, 2, 3, 3, 4, 5, 6, 7, 8])
    expect(sizes.get(odd)).toBe(1)
    expect((await store.sizes('nothing/')).size).toBe(0)
  })

  it('says which object is missing', async () => {
    await expect((await open()).get('job/output/none')).rejects.toMatchObject({ code: 'GRD-STORE-002' })
  })
})

describe('an S3 server', () => {
  it('is asked again while it is busy, and refused keys are an error at once', async () => {
    const store = s3Store('s3://bucket', server.env)
    server.busy = 2
    await store.put('busy', Buffer.from('came through'))
    expect((await store.get('busy')).toString()).toBe('came through')
    const wrong = s3Store('s3://bucket', { ...server.env, AWS_SECRET_ACCESS_KEY: 'another' })
    await expect(wrong.put('x', Buffer.from('x'))).rejects.toMatchObject({
      code: 'GRD-STORE-001',
      found: 'HTTP 403 SignatureDoesNotMatch no & no',
    })
    expect(server.refused).toBe(1)
  })

  it('needs keys and a bucket', () => {
    expect(() => s3Store('s3://bucket', {})).toThrow('no AWS_ACCESS_KEY_ID')
    expect(() => s3Store('s3:/bucket', server.env)).toThrow('GRD-CLI-002')
  })
})

describe('a folder', () => {
  it('says where it cannot write, and leaves nothing half-written', async () => {
    writeFileSync(join(folder, 'file'), '')
    const store = await storeAt(join(folder, 'file'))
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'GRD-IO-013' })
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
