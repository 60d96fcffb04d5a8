import { existsSync } from 'node:fs'

/**
 * The file that a worker thread starts from: beside the caller in the sources; in the built package the caller may lie
 * in any folder of `dist`, while the thread's file keeps its place.
 *
 * @param caller `import.meta.url` of who starts the thread
 * @param beside name of the file beside the caller, without its ending
 * @param place folder of both below `src`
 */
export function threadFile(caller: string, beside: string, place: string): URL {
  if (caller.endsWith('.ts')) return new URL(`./${beside}.ts`, caller)
  const places = ['./', '../', '../../'].map((up) => new URL(`${up}${place}/${beside}.mjs`, caller))
  return places.find((url) => existsSync(url)) ?? new URL(`./${beside}.mjs`, caller)
}
