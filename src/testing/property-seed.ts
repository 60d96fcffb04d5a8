import fc from 'fast-check'

/**
 * Property tests draw the same cases at every run, so that a red run always says something of the change at hand.
 * `GRADUS_SEED=<number>` looks at other cases; a failure prints the seed and the path that repeat it.
 */
fc.configureGlobal({ seed: Number(process.env['GRADUS_SEED'] ?? 1) })
