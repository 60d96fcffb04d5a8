import { describe, expect, it } from 'vitest'
import { checkedConfig } from './config.ts'

describe('the rule of a run that names none', () => {
  it.each([
    [{}, 'first-error-posterior'],
    [{ annotators: ['monte-carlo:k=2', 'arithmetic'] }, 'first-error-posterior'],
    [{ annotators: ['arithmetic', 'verifier:algebra'] }, 'tool-reliability'],
    [{ judge: 'http://127.0.0.1:8000/v1#model' }, 'consensus'],
    [{ judge: 'http://127.0.0.1:8000/v1#model', rule: 'hard' }, 'hard'],
    [{ annotators: ['arithmetic'], rule: 'consensus' }, 'consensus'],
  ])('%j: %s', (given, rule) => {
    expect(checkedConfig(given).rule).toBe(rule)
  })
})
