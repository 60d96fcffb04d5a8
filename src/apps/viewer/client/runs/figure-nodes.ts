import type { Figure } from '../api.generated.ts'
import { drawFigure, type Mode } from './plot.ts'

/**
 * A figure for the page. The page's policy forbids style elements: the rules that Plot brings along stand in the page's
 * own style sheet under the class `plot`.
 */
export function figureNodes(figure: Figure, width: number, mode: Mode): SVGSVGElement | null {
  const svg = drawFigure(figure, width, mode)
  if (svg === null) return null
  for (const style of svg.querySelectorAll('style')) style.remove()
  // The figure is one image with one name; its numbers are in the table behind it.
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', figure.title)
  return svg
}

/** A figure as a file: complete in itself, dark on white. */
export function figureSvg(figure: Figure): string | null {
  const svg = drawFigure(figure, 720, 'light')
  if (svg === null) return null
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.style.color = '#15181d'
  svg.style.background = '#ffffff'
  svg.style.fontFamily = 'system-ui, sans-serif'
  return new XMLSerializer().serializeToString(svg)
}
