import type { Engine } from '../../../engine/engine.ts'
import type { Body } from './body.ts'

export interface RemoteBodyOptions {
  engine: Engine
  url: string
  model: string
  /** NAME of the environment variable with the key. */
  keyFrom?: string
}

/** A body behind an address: embeddings of texts, or hidden states of tokens. */
export async function remoteBody(
  kind: 'endpoint' | 'hidden',
  { engine, ...address }: RemoteBodyOptions,
): Promise<Body> {
  if (kind === 'hidden') {
    const { vllmServer } = await import('../../endpoints/vllm.ts')
    const { hiddenBody } = await import('./hidden.ts')
    return await hiddenBody({ engine, server: vllmServer(address), ...address })
  }
  const { openAiCompatible } = await import('../../endpoints/openai-compatible.ts')
  const { endpointBody } = await import('./endpoint.ts')
  return await endpointBody({ engine, endpoint: openAiCompatible(address), ...address })
}
