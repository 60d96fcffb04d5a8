import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import { cannotWrite } from '../target.ts'
import type { ObjectStore } from './store.ts'

/** A folder on this machine, or one that several machines have mounted. */
export function folderStore(folder: string): ObjectStore {
  return {
    where: folder,
    async put(name, bytes) {
      const path = join(folder, name)
      // Two workers may write the same object; each has a name of its own until it is whole.
      const temporary = `${path}.${process.pid}.${Math.floor(performance.now())}.tmp`
      try {
        await mkdir(dirname(path), { recursive: true })
        const file = await open(temporary, 'wx')
        try {
          await file.writeFile(bytes)
          // The catalogue names the object only when it would survive a power cut.
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(temporary, path)
      } catch (cause) {
        await unlink(temporary).catch(() => undefined)
        throw cause instanceof Error ? cannotWrite(path, cause) : cause
      }
    },
    async get(name) {
      const path = join(folder, name)
      return await readFile(path).catch((cause: NodeJS.ErrnoException) => {
        const missing = cause.code === 'ENOENT'
        throw new GradusError(missing ? 'GRD-STORE-002' : 'GRD-STORE-001', {
          where: { file: path },
          found: missing ? 'no such file' : cause.message,
          try: ['is this folder the one that all workers write to?'],
          cause,
        })
      })
    },
    async sizes(prefix) {
      const names = await readdir(join(folder, prefix)).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return []
        throw new GradusError('GRD-STORE-001', { where: { file: join(folder, prefix) }, found: cause.message, cause })
      })
      const sizes = new Map<string, number>()
      for (const name of names.sort()) {
        if (name.endsWith('.tmp')) continue
        sizes.set(`${prefix}${name}`, (await stat(join(folder, prefix, name))).size)
      }
      return sizes
    },
  }
}
