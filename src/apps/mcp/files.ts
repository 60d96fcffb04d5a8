import { realpath, stat } from 'node:fs/promises'
import { parse, relative, resolve, sep } from 'node:path'
import { GradusError } from '../../core/errors.ts'

/**
 * The folder below which clients may name files, with links followed. Some clients start every server in the root of the
 * file system: where no folder is given, that is none (null), not all of it.
 * @throws GradusError GRD-CLI-002
 */
export async function rootFolder(given: string | undefined, current: string): Promise<string | null> {
  if (given === undefined && parse(current).root === current) return null
  const folder = given ?? current
  try {
    const real = await realpath(folder)
    if ((await stat(real)).isDirectory()) return real
  } catch {
    // As wrong as a file.
  }
  throw new GradusError('GRD-CLI-002', { where: { field: '--root' }, found: folder, expected: 'a folder' })
}

/**
 * The file that a client names, links followed. What lies outside is refused alike whether it exists or not.
 * @param root as `rootFolder` gives it
 * @throws GradusError GRD-IO-017 outside the root, GRD-IO-001 where it is no file
 */
export async function fileUnder(root: string | null, path: string): Promise<string> {
  if (root === null) throw outside(path, 'no path: the server was started in no folder of its own')
  const asked = resolve(root, path)
  const real = await realpath(asked).catch(() => null)
  if (!isInside(root, real ?? asked)) {
    throw outside(path, `a file below ${root}`)
  }
  const info = real === null ? null : await stat(real).catch(() => null)
  // A pipe would be waited for, a device has no end.
  if (real !== null && info?.isFile()) return real
  throw new GradusError('GRD-IO-001', {
    where: { file: path },
    found: info === null ? 'no such file' : info.isDirectory() ? 'a folder' : 'no regular file',
    expected: `a file with traces, by its path from ${root}`,
  })
}

function outside(found: string, expected: string): GradusError {
  return new GradusError('GRD-IO-017', {
    where: { field: 'path' },
    found,
    expected,
    try: ['start the server with --root FOLDER', 'give the run itself instead of its path'],
  })
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  // On another drive the way is absolute.
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) !== root && resolve(root, way) === path
}
