import { safetensors } from '@jax-js/loaders'
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

/** Reads a safetensors file of float32 tensors. @throws GradusError GRD-MODEL-003 where it is damaged */
export function readSafetensors(
  bytes: Uint8Array<ArrayBuffer>,
  file = 'weights',
): { weights: Weights; metadata: Record<string, string> } {
  try {
    const parsed = safetensors.parse(bytes)
    const weights: Weights = {}
    for (const [name, tensor] of Object.entries(parsed.tensors)) {
      if (!(tensor.data instanceof Float32Array)) throw new TypeError(`${name} is ${tensor.dtype}, not F32`)
      weights[name] = { shape: tensor.shape, data: new Float32Array(tensor.data) }
    }
    return { weights, metadata: parsed.metadata ?? {} }
  } catch (cause) {
    throw new GradusError('GRD-MODEL-003', {
      where: { file },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a safetensors file of F32 tensors',
      cause,
    })
  }
}
