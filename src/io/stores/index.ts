import { folderStore } from './folder.ts'
import type { ObjectStore } from './store.ts'

/**
 * `s3://bucket/prefix` or a folder.
 * @throws GradusError GRD-CLI-002, GRD-STORE-001
 */
export async function storeAt(address: string): Promise<ObjectStore> {
  if (!address.startsWith('s3://')) return folderStore(address)
  const { s3Store } = await import('./s3.ts')
  return s3Store(address)
}
