import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Weights } from './params.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'

const tensors = fc
  .dictionary(
    fc.stringMatching(/^[a-z][a-z.0-9]{0,12}$/),
    fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 20 }),
    { minKeys: 1, maxKeys: 5 },
  )
  .map(
    (all): Weights =>
      Object.fromEntries(
        Object.entries(all).map(([name, data]) => [name, { shape: [data.length], data: Float32Array.from(data) }]),
      ),
  )

describe('safetensors', () => {
  it('gives weights and metadata back', () => {
    fc.assert(
      fc.property(tensors, (weights) => {
        const back = readSafetensors(writeSafetensors(weights, { licence: 'MIT' }))
        expect(back.metadata).toEqual({ licence: 'MIT' })
        expect(Object.keys(back.weights).sort()).toEqual(Object.keys(weights).sort())
        for (const [name, tensor] of Object.entries(weights)) {
          expect(back.weights[name]!.shape).toEqual(tensor.shape)
          expect(Buffer.from(back.weights[name]!.data.buffer)).toEqual(Buffer.from(tensor.data.buffer))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('has the layout of the format: u64 header length, JSON, numbers', () => {
    const bytes = writeSafetensors({ a: { shape: [2], data: Float32Array.of(1, 2) } })
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: {},
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    })
    expect(bytes.length).toBe(8 + length + 8)
  })

  it('says what is damaged', () => {
    const bytes = writeSafetensors({ a: { shape: [2], data: Float32Array.of(1, 2) } })
    expect(() => readSafetensors(bytes.slice(0, 20))).toThrow('GRD-MODEL-003')
    expect(() => readSafetensors(bytes.slice(0, bytes.length - 4))).toThrow('GRD-MODEL-003')
    expect(() => readSafetensors(Uint8Array.of(...bytes, 0, 0, 0, 0))).toThrow('do not fill the file')
    const changed = (from: string, to: string) => {
      const text = Buffer.from(bytes).toString('latin1').replace(from, to)
      return () => readSafetensors(Uint8Array.from(Buffer.from(text, 'latin1')))
    }
    expect(changed('"F32"', '"I32"')).toThrow('a is I32, not F32')
    expect(changed('[2]', '[3]')).toThrow('does not lie in the file')
    expect(changed('[0,8]', '[4,8]')).toThrow('does not lie in the file')
    expect(changed('[2]', '-22')).toThrow('GRD-MODEL-003')
    expect(changed('{', '}')).toThrow('GRD-MODEL-003')
  })
})
