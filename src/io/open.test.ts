import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { filePieces } from './open.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** All bytes, and how many of the pieces but the last end in the middle of a line. */
async function read(text: string, from = 0): Promise<{ text: string; pieces: number; inside: number }> {
  const path = join(folder, 'file')
  writeFileSync(path, text)
  const pieces: Buffer[] = []
  for await (const piece of filePieces(path, from)) pieces.push(Buffer.from(piece))
  const inside = pieces.slice(0, -1).filter((piece) => piece.at(-1) !== 10).length
  return { text: Buffer.concat(pieces).toString(), pieces: pieces.length, inside }
}

/** Lines of lengths between 0 and `most`, `total` bytes at least. */
function linesOf(most: number, total: number): string {
  const draw = random(`open/${most}`)
  const lines: string[] = []
  for (let bytes = 0; bytes < total; ) {
    const length = draw.below(most + 1)
    lines.push(String.fromCharCode(97 + draw.below(26)).repeat(length))
    bytes += length + 1
  }
  return lines.join('\n')
}

describe('pieces of a file', () => {
  it.each([[10], [500], [60_000]])('are its bytes, cut behind lines of up to %i bytes', async (most) => {
    const text = linesOf(most, 3_000_000)
    const all = await read(text)
    expect(all.text === text).toBe(true)
    expect(all.inside).toBe(0)
    expect(all.pieces).toBeLessThan(80)
    expect((await read(`${text}\n`)).text === `${text}\n`).toBe(true)
    expect((await read(text, 1_500_001)).text === text.slice(1_500_001)).toBe(true)
  })

  it.each([[200_000], [5_000_000]])('are its bytes where lines have up to %i bytes', async (most) => {
    const text = linesOf(most, 8_000_000)
    expect((await read(text)).text === text).toBe(true)
  })

  it('are its bytes where there is no line feed, and none of an empty file', async () => {
    for (const bytes of [1, 65_536, 1 << 20, (1 << 20) + 1, 3_000_000]) {
      const text = 'x'.repeat(bytes)
      expect((await read(text)).text === text).toBe(true)
    }
    expect((await read('')).pieces).toBe(0)
  })
})
