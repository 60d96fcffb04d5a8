/** One equation that a step states, and what came out. */
export interface Claim {
  /** Numbers on both sides, or symbols too. */
  kind: 'numbers' | 'identity'
  /** As written, without LaTeX dressing. */
  text: string
  /** null = the writer may have meant something in which it holds, or the text around it makes it no claim. */
  holds: boolean | null
  /** What the left side is, where it is not the right one. */
  value?: string
  /** Why nothing is said, where nothing is. */
  why?: string
}
