import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import type { Weights } from './params.ts'

/**
 * Weights as a safetensors file: length of the header (u64, little endian), the header as JSON padded to 8 bytes with
 * spaces, then the numbers. Tensors stand in the order of their names, so equal weights give equal bytes.
 */
export function writeSafetensors(weights: Weights, metadata: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const names = Object.keys(weights).sort()
  const header: Record<string, unknown> = { __metadata__: metadata }
  let end = 0
  for (const name of names) {
    const { shape, data } = weights[name]!
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += data.byteLength)] }
  }
  const json = JSON.stringify(header)
  const head = new TextEncoder().encode(json)
  const start = 8 + Math.ceil(head.length / 8) * 8
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(start - 8), true)
  bytes.set(head, 8)
  let at = start
  for (const name of names) {
    for (const value of weights[name]!.data) {
      view.setFloat32(at, value, true)
      at += 4
    }
  }
  return bytes
}

const natural = z.int().nonnegative()
const Header = z
  .object({ __metadata__: z.record(z.string(), z.string()).optional() })
  .catchall(z.object({ dtype: z.string(), shape: z.array(natural), data_offsets: z.tuple([natural, natural]) }))

/** Reads a safetensors file of float32 tensors. @throws GradusError GRD-MODEL-003 where it is damaged */
export function readSafetensors(
  bytes: Uint8Array<ArrayBuffer>,
  file = 'weights',
): { weights: Weights; metadata: Record<string, string> } {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const start = 8 + Number(view.getBigUint64(0, true))
    if (start > bytes.length) throw new RangeError('the header is longer than the file')
    const { __metadata__: metadata = {}, ...header } = Header.parse(
      JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))),
    )
    const weights: Weights = {}
    let numbers = 0
    for (const [
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ] of Object.entries(header)) {
      if (dtype !== 'F32') throw new TypeError(`${name} is ${dtype}, not F32`)
      const size = 4 * shape.reduce((a, b) => a * b, 1)
      if (to - from !== size || start + to > bytes.length) throw new RangeError(`${name} does not lie in the file`)
      const data = new Float32Array(size / 4)
      for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(start + from + 4 * i, true)
      weights[name] = { shape, data }
      numbers += size
    }
    if (start + numbers !== bytes.length) throw new RangeError('the tensors do not fill the file')
    return { weights, metadata }
  } catch (cause) {
    throw new GradusError('GRD-MODEL-003', {
      where: { file },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a safetensors file of F32 tensors',
      cause,
    })
  }
}
