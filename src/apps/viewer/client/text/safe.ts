import DOMPurify from 'dompurify'

const purifier = DOMPurify()

/** Markup that a highlighter made, as nodes: spans with a class, and nothing else. */
export function safeCode(markup: string): DocumentFragment {
  return purifier.sanitize(markup, {
    ALLOWED_TAGS: ['span'],
    ALLOWED_ATTR: ['class'],
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  })
}
