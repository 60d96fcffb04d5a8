import { Fault } from './fault.ts'

/**
 * Runs the work with a signal of its own that fires at the deadline or with the outer signal.
 *
 * Ends at that moment even if the work ignores its signal (a plain timer and one listener: `AbortSignal.any` and
 * `AbortSignal.timeout` cost more than the call itself at some thousand calls a second).
 * @throws Fault GRD-CALL-005 at the deadline; the outer signal's reason when that fires
 */
export function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  seconds: number,
  outer: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController()
    const end = (reason: unknown): void => {
      controller.abort(reason)
      finish()
      reject(reason)
    }
    const onOuter = (): void => end(outer.reason)
    const timer = setTimeout(() => {
      end(
        new Fault('GRD-CALL-005', {
          found: `nothing complete after ${seconds} s`,
          try: ['a longer deadline', 'fewer tokens'],
        }),
      )
    }, seconds * 1000)
    const finish = (): void => {
      clearTimeout(timer)
      outer.removeEventListener('abort', onOuter)
    }
    if (outer.aborted) return onOuter()
    outer.addEventListener('abort', onOuter, { once: true })
    work(controller.signal).then(
      (value) => {
        finish()
        resolve(value)
      },
      (error) => {
        finish()
        reject(error)
      },
    )
  })
}

/** Waits; ends early, without an error, when the signal fires. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const wake = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake, { once: true })
  })
}
