import type { z } from 'zod'
import type { Trace } from '../../core/words.ts'
import type { NumberedRow } from '../../io/trace-index/index.ts'
import { imageAt, imagePaths } from './images.ts'
import type { Row } from './schemas.ts'

/** A picture that stands in the data itself; a browser draws it without asking anybody. */
const INLINE = /^data:image\/(png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=]+$/
const INLINE_CHARS = 8_000_000

/** Where the page finds each picture of the problem; null = it is not shown. */
export function shownImages(at: number, trace: Trace, folder: string): (string | null)[] {
  return imagePaths(trace).map((path, n) => {
    if (path.startsWith('data:')) return path.length <= INLINE_CHARS && INLINE.test(path) ? path : null
    return imageAt(folder, path) === null ? null : `/api/traces/${at}/images/${n}`
  })
}

/** The row as the page sees it. */
export function shownRow({ said: _, errorProb: _e, ...row }: NumberedRow): z.output<typeof Row> {
  return row
}
