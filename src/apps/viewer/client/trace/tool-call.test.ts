import { expect, it } from 'vitest'
import { callLine, repeatsCall, toolArguments } from './tool-call.ts'

it('takes code out of the JSON of a call, so that it reads as code', () => {
  expect(toolArguments('execute', { timeout: 3, code: 'import os\nprint(1)' })).toEqual([
    { name: '', text: '{\n  "timeout": 3\n}', language: 'json' },
    { name: 'code', text: 'import os\nprint(1)', language: 'python' },
  ])
  expect(toolArguments('bash', { command: 'ls' })).toEqual([{ name: 'command', text: 'ls', language: 'bash' }])
  expect(toolArguments('sql', 'SELECT a FROM b')).toEqual([{ name: '', text: 'SELECT a FROM b', language: 'sql' }])
})

it('shows every input, also one that is no object or empty', () => {
  expect(toolArguments('t', null)).toEqual([{ name: '', text: 'null', language: 'json' }])
  expect(toolArguments('t', {})).toEqual([{ name: '', text: '{}', language: 'json' }])
  expect(toolArguments('t', undefined)).toEqual([{ name: '', text: 'undefined', language: 'json' }])
})

it('says a call in one line of bounded length', () => {
  expect(callLine('search', { q: 'a\n b' })).toBe('search({"q":"a\\n b"})')
  expect(callLine('t', 'x'.repeat(9_999)).length).toBe(161)
})

it('knows a step whose text is only its call', () => {
  expect(repeatsCall(' open({"path":"a"})\n', 'open', { path: 'a' })).toBe(true)
  expect(repeatsCall('now open({"path":"a"})', 'open', { path: 'a' })).toBe(false)
})
