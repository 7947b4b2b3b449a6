// What the site's ready-made parts lack, each in a few lines.

// Widgets ask MathJax 2 (`MathJax.Hub.Queue`) to set formulas; the pages have MathJax 3.
const hub = {Queue: ([, , node]) => window.MathJax?.typesetPromise?.([node])}
let mathjax
Object.defineProperty(window, 'MathJax', {get: () => mathjax, set: value => { mathjax = value; mathjax.Hub ??= hub }})

// Names for what a screen reader meets in a widget: slider handles and the buttons of a player.
function name_controls(root) {
  for (const box of root.querySelectorAll('.widget-slider, .widget-hslider, .widget-vslider')) {
    const name = box.querySelector('.widget-label')?.textContent.trim() || box.title || 'value'
    for (const handle of box.querySelectorAll('[role=slider]:not([aria-label])')) handle.setAttribute('aria-label', name)
  }
  for (const player of root.querySelectorAll('.widget-play'))
    for (const button of player.querySelectorAll('button:not([aria-label])')) {
      const icon = button.querySelector('[class*=fa-]')?.className ?? ''
      button.setAttribute('aria-label', icon.includes('stop') ? 'Stop' : icon.includes('repeat') || icon.includes('retweet') ? 'Repeat' : 'Play or pause')
    }
}

// Two landmarks of the theme that have no names, and code that is wider than its frame, which the keyboard must reach to scroll.
function name_landmarks() {
  document.querySelector('.sidebar-drawer')?.setAttribute('aria-label', 'Site')
  document.querySelector('.toc-drawer')?.setAttribute('aria-label', 'This page')
}
function reach_wide_code() {
  for (const pre of document.querySelectorAll('.highlight pre, .cell_output')) pre.scrollWidth > pre.clientWidth ? pre.tabIndex = 0 : pre.removeAttribute('tabindex')
}
addEventListener('resize', reach_wide_code)
addEventListener('load', () => {
  name_controls(document); name_landmarks(); reach_wide_code()
  new MutationObserver(() => name_controls(document)).observe(document.body, {childList: true, subtree: true})
})
