import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core'
import type { RefObject } from 'preact'
import { useLayoutEffect, useReducer, useState } from 'preact/hooks'

interface List {
  count: number
  /** Height of an item before it has been measured, px. */
  estimate: (index: number) => number
  /** Items drawn beyond the visible ones, on either side. */
  overscan: number
  /** Identity of an item whose measured height is to be kept. */
  itemKey?: (index: number) => string | number
}

/** A list of which only what can be seen is in the page; draws its component again as it is scrolled. */
export function useVirtual(scroll: RefObject<HTMLElement | null>, list: List): Virtualizer<HTMLElement, HTMLElement> {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const options = {
    count: list.count,
    getScrollElement: () => scroll.current,
    estimateSize: list.estimate,
    overscan: list.overscan,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
    ...(list.itemKey === undefined ? {} : { getItemKey: list.itemKey }),
  }
  const [virtual] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options))
  virtual.setOptions(options)
  useLayoutEffect(() => virtual._didMount(), [])
  useLayoutEffect(() => virtual._willUpdate())
  return virtual
}
