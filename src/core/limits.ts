/** Sizes, depths and ratios beyond which input is refused. Each says where it comes from. */
export const LIMITS = {
  /** One line of JSONL, bytes: the hostile trace set has single steps of 5 MB; twice that with room for escapes. */
  lineBytes: 64 * 1024 * 1024,
  /** A JSON document that must be parsed whole, bytes: V8 strings end at 512 MiB. */
  documentBytes: 400 * 1024 * 1024,
  /** One message of a client of `gradus mcp`, bytes: three of those steps; longer traces come as files. */
  messageBytes: 16 * 1024 * 1024,
  /** Nesting of a JSON value that Gradus walks itself. */
  jsonDepth: 200,
  /** Decompressed over compressed size before gzip counts as a bomb; real traces stay below 60. */
  gzipRatio: 1_000,
  /** Steps in a trace: the longest real agent runs seen have some thousand messages. */
  stepsPerTrace: 100_000,
  /** Text of one answer given to the equivalence check, characters. */
  answerChars: 4_000,
} as const
