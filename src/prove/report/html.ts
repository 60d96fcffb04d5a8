/**
 * One self-contained HTML page: no script, no external request, every text escaped.
 *
 * Pieces are built by the functions below and are the only strings that are not escaped again.
 */
export interface Html {
  readonly html: string
}

export function raw(html: string): Html {
  return { html }
}

/** Text made harmless: markup escaped, control characters and bidirectional marks shown as what they are. */
export function text(value: string): Html {
  return raw(
    value
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      .replace(
        /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
        (c) => `<span class="bidi">U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}</span>`,
      ),
  )
}

/** Template for markup: interpolated strings and numbers are escaped, pieces and lists of pieces are not. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (Html | readonly Html[] | string | number)[]
): Html {
  let out = parts[0]!
  values.forEach((value, i) => {
    out += piece(value) + parts[i + 1]!
  })
  return raw(out)
}

function piece(value: Html | readonly Html[] | string | number): string {
  if (typeof value === 'string' || typeof value === 'number') return text(String(value)).html
  return 'html' in value ? value.html : value.map((v) => v.html).join('')
}

/** A whole page. */
export function page(title: string, sections: readonly Html[]): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${sections}
</main>
</body>
</html>
`.html
}

export function section(title: string, ...content: readonly Html[]): Html {
  return html`<section><h2>${title}</h2>${content}</section>`
}

export function paragraph(...content: readonly (Html | string)[]): Html {
  return html`<p>${content.map((c) => (typeof c === 'string' ? text(c) : c))}</p>`
}

/** Numbers are set right; the first column is the row's head. */
export function table(head: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  const cell = (value: string | Html, i: number): Html =>
    i === 0 ? html`<th scope="row">${value}</th>` : html`<td>${value}</td>`
  return html`<div class="wide"><table><thead><tr>${head.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`
}

/** A figure with its caption; the drawing comes from `plots.ts`. */
export function figure(drawing: Html, caption: string): Html {
  return html`<figure>${drawing}<figcaption>${caption}</figcaption></figure>`
}

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1d2530, #e3e8ee); --soft: light-dark(#5b6675, #9aa6b5); --line: light-dark(#dde2e8, #333c48);
  --page: light-dark(#fff, #14181d); --wrong: light-dark(#b3261e, #ff8a80); --wrong-page: light-dark(#fdecea, #3a1b1a); --right: light-dark(#1b6e3c, #7fd6a2); }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
p { max-width: 46rem; } .soft { color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .3rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); } th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--soft); font-weight: 500; }
figure { margin: 1.5rem 0; } figcaption { color: var(--soft); font-size: .85rem; max-width: 40rem; } svg { max-width: 100%; height: auto; }
.trace { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; overflow: hidden; }
.trace > header { display: flex; gap: 1rem; align-items: baseline; padding: .6rem 1rem; border-bottom: 1px solid var(--line); }
.trace > header code { font-weight: 600; } .strip { margin-left: auto; display: flex; gap: 2px; }
.strip i { width: 9px; height: 16px; border-radius: 1px; background: var(--line); }
.trace ol { list-style: none; margin: 0; padding: 0; } .trace li { padding: .45rem 1rem; display: grid; grid-template-columns: 2rem 1fr; gap: .75rem; }
.trace li > span:first-child { color: var(--soft); text-align: right; } .trace li.wrong { background: var(--wrong-page); box-shadow: inset 4px 0 var(--wrong); }
.trace pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; } .evidence { color: var(--wrong); font-size: .88rem; margin: .3rem 0 0; }
.evidence b { font-weight: 600; } .bidi { outline: 1px solid var(--wrong); font-size: .75em; padding: 0 .2em; }
details > summary { cursor: pointer; color: var(--soft); padding: .45rem 1rem; }
`
