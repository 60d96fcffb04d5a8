import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Versions of Gradus and of the numerical library: weights depend on both. */
export async function packageVersions(): Promise<Record<string, string>> {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const own: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const { version, dependencies } = own as { version: string; dependencies: Record<string, string> }
  return { gradus: version, '@jax-js/jax': dependencies['@jax-js/jax'] ?? 'unknown' }
}
