import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Rooms from the inside out; a file may import from its own room and from those before it. */
const ROOMS = ['core', 'io', 'engine', 'worlds', 'models', 'label', 'improve', 'prove', 'apps']
const SRC = import.meta.dirname

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (f) => /\.tsx?$/.test(f) && !/\.test\.tsx?$/.test(f),
)

/** Imports that are there when the program runs, static or not. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8').replace(/^(?:import|export) type [^']*'[^']*'/gm, '')
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((m) =>
    relative(SRC, resolve(SRC, dirname(file), m[1]!)),
  )
}

const roomOf = (file: string): number => ROOMS.indexOf(file.split('/')[0]!)

describe('the house', () => {
  it('has imports that point inward only', () => {
    const outward = files.flatMap((file) =>
      roomOf(file) < 0
        ? []
        : importsOf(file)
            .filter((to) => roomOf(to) > roomOf(file))
            .map((to) => `${file} imports ${to}`),
    )
    expect(outward).toEqual([])
  })

  it('has no circles', () => {
    const graph = new Map(files.map((f) => [f, importsOf(f)]))
    const done = new Set<string>()
    const circles: string[] = []
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file) || path.includes(file)) return
      for (const to of graph.get(file) ?? []) walk(to, [...path, file])
      done.add(file)
    }
    for (const file of files) walk(file, [])
    expect(circles).toEqual([])
  })

  it('knows every folder of the source', () => {
    const folders = readdirSync(SRC, { withFileTypes: true })
      .filter((d) => d.isDirectory())
      .map((d) => d.name)
    expect(folders.filter((f) => !ROOMS.includes(f) && f !== 'testing')).toEqual([])
  })
})
