import { defaultDevice, init } from '@jax-js/jax'

let started: Promise<void> | undefined

/** Starts the WebAssembly backend of jax-js, once a process. */
export function startBackend(): Promise<void> {
  started ??= init('wasm').then(() => {
    defaultDevice('wasm')
  })
  return started
}
