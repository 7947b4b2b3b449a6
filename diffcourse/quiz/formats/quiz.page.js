// Makes the page of a questionnaire interactive: each `.dq-question` gets the form of the kit's question with the same number. Marks with quiz.js (where each kind of question has
// its entry, and is made of the forms below), keeps events in this browser, asks the network for nothing. Without it the page still shows the questions as text.
(() => {
'use strict'
const Q = DiffQuiz, source = document.getElementById('quiz-kit'), top = document.getElementById('quiz-top')
if (!source || !top) return
const kit = Q.open_kit(source.textContent), places = [...document.querySelectorAll('.dq-question')]
const SIGNS = {correct: ['✓', 'Correct'], partial: ['◐', 'Partly correct'], incorrect: ['✗', 'Not correct'], invalid: ['?', 'Not an answer yet'], ungraded: ['–', 'Not graded here'], fault: ['!', 'Our fault'], review: ['…', 'Kept']}

// ---------------------------------------------------------------- elements

function el(tag, props = {}, ...inside) {
  const out = document.createElement(tag)
  for (const [k, v] of Object.entries(props)) k in out && k !== 'list' && k !== 'form' ? out[k] = v : out.setAttribute(k, v)
  out.append(...inside.flat().filter(x => x !== null && x !== undefined && x !== ''))
  return out
}

// A little Markdown: code, strong, emphasis. Everything else is text.
function inline(text) {
  const emphasis = s => s.split(/(\*\*\S(?:.*?\S)?\*\*|(?<![\w*])\*\S(?:[^*]*?\S)?\*(?![\w*]))/s).filter(Boolean).map(p => p.length > 4 && p.startsWith('**') && p.endsWith('**') ? el('strong', {}, p.slice(2, -2)) : p.length > 2 && p[0] === '*' && p.endsWith('*') ? el('em', {}, p.slice(1, -1)) : p)
  return text.trim().split(/(`[^`]+`)/).flatMap((p, i) => i % 2 ? [el('code', {}, p.slice(1, -1))] : emphasis(p))
}

const blocks = (text, tag = 'p') => text.trim() ? text.trim().split(/\n\s*\n/).map(p => el(tag, {className: 'dq-text'}, inline(p))) : []

function evidence_of(item) {
  const caption = item.caption ? el('figcaption', {}, item.caption) : ''
  if (item.form === 'note') return el('p', {}, item.text)
  if (item.form === 'table') {
    const row = (cells, tag) => el('tr', {}, cells.map(c => c === '' ? el('td') : el(tag, tag === 'th' ? {scope: 'col'} : {}, c)))
    return el('figure', {className: 'dq-table', tabIndex: 0, role: 'group', 'aria-label': item.caption || 'Measured values'}, el('table', {}, el('thead', {}, row(item.head, 'th')), el('tbody', {}, item.rows.map(r => row(r, 'td')))), caption)
  }
  const pictures = item.pictures.map((p, i) => el('span', {className: 'dq-picture'}, el('img', {src: kit.pictures[p], alt: `${item.alt} ${item.captions[i] ?? ''}`.trim(), width: item.width}), el('small', {}, item.captions[i] ?? '')))
  return el('figure', {className: 'dq-strip'}, pictures, caption)
}

// ---------------------------------------------------------------- what is kept

const KEY = `diffcourse/events/${kit.quiz}`
let memory = '', lasting = true

function saved() {
  try { return localStorage.getItem(KEY) ?? '' } catch { lasting = false; return memory }
}

function keep(question, what, data, state = null, score = null) {
  const e = Q.event(kit, question, what, data, state, score); memory = `${lasting ? saved() : memory}${Q.event_line(e)}\n`
  try { localStorage.setItem(KEY, memory) } catch { lasting = false }
  refresh()
}

let seen = '', read = []

// Events of this variant, oldest first; read anew only when there are others.
function events(question = null, what = null) {
  const text = lasting ? saved() : memory
  if (text !== seen) { seen = text; read = Q.read_lines(text) }
  return read.filter(e => e.variant === kit.variant && (!question || e.question === question) && (!what || e.what === what))
}

function download() {
  const file = new Blob([lasting ? saved() : memory], {type: 'application/x-ndjson'}), a = el('a', {href: URL.createObjectURL(file), download: `${kit.quiz}.jsonl`})
  document.body.append(a); a.click(); a.remove(); setTimeout(() => URL.revokeObjectURL(a.href), 1000)
}

// ---------------------------------------------------------------- forms to answer with: nodes, what is in them, and how to put something in

function choice(q, many) {
  const rows = Q.shown_order(kit, q).map((o, n) => {
    const box = el('input', {type: many ? 'checkbox' : 'radio', name: `dq-${q.id}`, value: o.id})
    const words = 'picture' in o ? [el('span', {}, `Picture ${n + 1}`), el('img', {src: kit.pictures[o.picture], alt: o.text, width: 128})] : [el('span', {}, inline(o.text))]
    return {box, label: el('label', {className: 'picture' in o ? 'dq-option dq-image' : 'dq-option'}, box, words)}
  })
  const on = () => rows.filter(r => r.box.checked).map(r => r.box.value)
  const look = q.options.some(o => 'picture' in o) ? 'dq-options dq-images' : 'dq-options', all = many ? el('p', {className: 'dq-small'}, 'Choose all that hold.') : ''
  const chosen = (given, id) => many ? (given ?? []).includes(id) : id === given
  return {nodes: [el('div', {className: look}, all, rows.map(r => r.label))],
          read: () => many ? on() : on()[0] ?? null, put: given => rows.forEach(r => r.box.checked = chosen(given, r.box.value))}
}

// A node with words beside it.
const field = (label, box) => el('label', {className: 'dq-field'}, el('span', {}, label), box)

function line(label, example = '') {
  const box = el('input', {type: 'text', autocomplete: 'off', spellcheck: false, placeholder: example, className: 'dq-line'})
  const text = given => Array.isArray(given) ? given.join(', ') || '()' : String(given ?? '')
  return {nodes: [field(label, box)], read: () => box.value, put: given => box.value = text(given)}
}

function area() {
  const box = el('textarea', {rows: 4, className: 'dq-line'})
  return {nodes: [field('Your answer', box)], read: () => box.value, put: given => box.value = given ?? ''}
}

const select = (options, props = {}) => el('select', props, el('option', {value: ''}, 'choose …'), options.map(([id, text]) => el('option', {value: id}, text)))
const mapped = boxes => ({read: () => { const given = Object.fromEntries(boxes.map(([n, b]) => [n, b.value])); return Object.values(given).every(v => v === '') ? null : given }, put: given => boxes.forEach(([n, b]) => b.value = given?.[n] ?? '')})

function gaps(q) {
  const boxes = [], parts = q.text.split(/\[\[([^\[\]]*)\]\]/).map((p, i) => {
    if (i % 2 === 0) return inline_kept(p)
    const gap = q.gaps[p], name = {'aria-label': `Gap: ${p}${gap.unit ? ` (${gap.unit})` : ''}`}
    const box = gap.options.length ? select(gap.options.map(o => [o, o]), name) : el('input', {type: 'text', autocomplete: 'off', spellcheck: false, placeholder: p, size: Math.max(8, p.length), ...name})
    boxes.push([p, box])
    return [box, gap.unit ? ` ${gap.unit}` : '']
  })
  return {nodes: [el('p', {className: 'dq-gaps'}, parts.flat())], ...mapped(boxes)}
}

// As `inline`, with the white space at both ends.
const inline_kept = text => [text.match(/^\s*/)[0], ...inline(text), text.trim() ? text.match(/\s*$/)[0] : '']

function pairs(q) {
  const partners = Q.shown_order(kit, q).map(o => [o.id, plain(o.text)]), boxes = q.left.map(i => [i.id, select(partners)])
  return {nodes: q.left.map((i, n) => el('label', {className: 'dq-field dq-pair'}, el('span', {}, inline(i.text)), boxes[n][1])), ...mapped(boxes)}
}

const plain = text => inline(text).map(n => n.textContent ?? n).join('')

function ranks(q) {
  const list = el('ol', {className: 'dq-order'}), voice = el('span', {className: 'dq-hidden', role: 'status'}), start = Q.shown_order(kit, q), total = start.length
  const rows = new Map(start.map(o => {
    const name = plain(o.text), up = el('button', {type: 'button', 'aria-label': `Move up: ${name}`}, '↑'), down = el('button', {type: 'button', 'aria-label': `Move down: ${name}`}, '↓'), row = el('li', {}, el('span', {}, inline(o.text)), el('span', {className: 'dq-moves'}, up, down))
    const move = (button, by) => button.addEventListener('click', () => {
      const all = [...list.children], at = all.indexOf(row), to = Math.min(Math.max(at + by, 0), total - 1)
      if (to !== at) by < 0 ? all[to].before(row) : all[to].after(row)
      button.focus(); voice.textContent = `${name}: place ${to + 1} of ${total}`
    })
    move(up, -1); move(down, 1); row.dataset.id = o.id
    return [o.id, row]
  }))
  list.append(...rows.values())
  return {nodes: [el('p', {className: 'dq-small'}, 'Move with the arrows; the first comes on top.'), list, voice], read: () => [...list.children].map(r => r.dataset.id), put: given => list.append(...(given ?? start.map(o => o.id)).map(id => rows.get(id)).filter(Boolean))}
}

const FORMS = {el, field, choice, line, area, gaps, pairs, ranks}      // what an entry of Q.KINDS makes its input of

// ---------------------------------------------------------------- marks, hints, solutions

function claims_of(record) {
  return record.evidence.map(c => el('p', {className: 'dq-small'}, `${c.claim}: expected ${c.expected}${c.interval ? `, accepted ${c.interval.map(x => Q.format(x, 'g')).join(' to ')}` : ''}, got ${c.got} (${c.source})`))
}

// Where to read on: sections of lessons that this page's site has.
function refs_of(q) {
  const found = top.dataset.lesson ? q.refs.map(r => /^(\d\d_\w+)(?:#(.+))?$/.exec(r)).filter(Boolean) : []
  return found.length ? [el('p', {className: 'dq-small'}, 'Read on: ', found.flatMap(([, file, at], i) => [i ? ', ' : '', el('a', {href: `../lessons/${file}.html${at ? `#${at}` : ''}`}, (at ?? file).replaceAll('-', ' '))]))] : []
}

// Why it is so: at once to those who are right, on request to others.
function why(q, record) {
  const inside = [...blocks(record.explain), ...(q.evidence ?? []).map(evidence_of), ...claims_of(record), ...refs_of(q)]
  if (record.score === null || !inside.length) return []
  if (record.state === 'correct' || Q.KINDS[q.kind].locks) return [el('div', {className: 'dq-why'}, inside)]
  return [el('details', {className: 'dq-why'}, el('summary', {}, 'Why (shows the answer)'), inside)]
}

function says(state, inside, word = SIGNS[state][1], sign = SIGNS[state][0]) {
  return el('div', {className: `dq-said dq-${state}`}, el('p', {className: 'dq-mark'}, el('span', {'aria-hidden': 'true'}, `${sign} `), el('strong', {}, word)), inside)
}

function card(q, place) {
  const kind = q.live ? {} : Q.KINDS[q.kind], input = q.live ? null : kind.input(q, FORMS), status = el('div', {role: 'status', 'aria-live': 'polite'}), more = el('div'), told = el('div', {role: 'status', 'aria-live': 'polite'}), solved = el('span', {className: 'dq-solved'})
  const button = (name, type, act) => { const b = el('button', {type, className: `dq-button${type === 'submit' ? ' dq-main' : ''}`, 'aria-label': `${name}: ${q.id}`}, name); if (act) b.addEventListener('click', act); return b }
  const show = record => {
    const percent = record.state === 'partial' ? ` (${Q.format(record.score, '.0%')})` : ''
    status.replaceChildren(says(record.state, blocks(record.feedback), `${SIGNS[record.state][1]}${percent}`)); more.replaceChildren(...why(q, record), ...(record.state === 'review' ? compare(q) : []))
  }
  const lock = () => { const done = events(q.id, 'lock')[0]; if (done) { input.put(done.data.given); fields.disabled = true; check.disabled = true }; return done }
  const check = button(Q.has_score(q) ? 'Check' : 'Keep', 'submit')
  const hint = button('Hint', 'button', () => {
    const n = events(q.id, 'hint').length
    told.replaceChildren(...q.hints.slice(0, n + 1).map((t, i) => says('review', blocks(t), `Hint ${i + 1} of ${q.hints.length}`, '→')))
    if (n < q.hints.length) keep(q.id, 'hint', {n})
  })
  const answer = button('Solution', 'button', () => {
    if (kind.locks && !lock()) return status.replaceChildren(says('invalid', blocks('Say what you expect first; then the run is shown.')))
    keep(q.id, 'solution', {}); status.replaceChildren(says('review', blocks(Q.solution(kit, q)), 'Solution', '→')); const record = Q.grade(kit, q, q.right)
    more.replaceChildren(el('div', {className: 'dq-why'}, blocks(record.explain || record.feedback), (q.evidence ?? []).map(evidence_of)))
  })
  const fields = el('fieldset', {}, el('legend', {}, blocks(q.prompt, 'span')), input ? input.nodes : live_note(q))
  const form = el('form', {className: 'dq-card', noValidate: true}, fields, el('div', {className: 'dq-buttons'}, q.live ? '' : check, q.hints.length ? hint : '', Q.has_score(q) || kind.compared ? answer : '', solved), told, status, more)
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (q.live || check.disabled) return
    const record = Q.grade(kit, q, input.read())
    if (kind.locks && !lock() && record.score !== null) keep(q.id, 'lock', {given: record.given})
    keep(q.id, 'answer', record, record.state, record.score); show(record)
    if (kind.locks && lock()) answer.focus()                               // the button that was pressed is gone for good
  })
  const clear = () => { if (!input) return; input.put(null); status.replaceChildren(); more.replaceChildren(); told.replaceChildren() }
  const restore = () => {
    const last = events(q.id, 'answer').pop()
    if (input && last) { input.put(last.data.given); show(last.data) }
    if (kind.locks) lock()
  }
  place.replaceChildren(form)
  return {q, form, clear, restore, mark: best => { solved.textContent = best === 1 ? '✓ solved' : ''; form.classList.toggle('dq-done', best === 1) }}
}

function live_note(q) {
  const lesson = top.dataset.lesson ? el('a', {href: top.dataset.lesson}, 'the lesson') : ''
  return [q.goals ? el('ul', {}, q.goals.map(g => el('li', {}, inline(g)))) : '', q.starter ? el('pre', {tabIndex: 0, 'aria-label': 'Start of the function'}, q.starter) : '',
          says('ungraded', el('p', {className: 'dq-text'}, `This one needs ${'function' in q ? 'Python' : 'the live model'}. Run `, el('code', {}, q.live), lesson ? ', or open ' : '', lesson, '.'))]
}

const NEAR = [['no', 'not yet'], ['partly', 'partly'], ['yes', 'there']]

// What a text without a mark is compared with, and the learner's own view of it.
function compare(q) {
  if (!Q.KINDS[q.kind].compared) return []
  const now = events(q.id, 'self').pop()?.data.rating
  const rows = NEAR.map(([id, text]) => {
    const box = el('input', {type: 'radio', name: `dq-${q.id}-self`, value: id, checked: now === id}); box.addEventListener('change', () => keep(q.id, 'self', {rating: id}))
    return el('label', {className: 'dq-option'}, box, el('span', {}, text))
  })
  return [el('div', {className: 'dq-why'}, el('p', {}, el('strong', {}, 'Model answer')), blocks(q.right), el('p', {}, el('strong', {}, 'Ideas to look for')), el('ul', {}, q.ideas.map(i => el('li', {}, inline(i)))), el('fieldset', {className: 'dq-self'}, el('legend', {}, 'How near did yours come?'), rows))]
}

// ---------------------------------------------------------------- the head of the page

const bar = el('progress', {className: 'dq-bar', max: 1, value: 0, 'aria-label': 'Score'}), score = el('p', {className: 'dq-score', role: 'status'}), warn = el('p', {className: 'dq-small'})
const retry = el('button', {type: 'button', className: 'dq-button'}, 'Retry the wrong ones'), all = el('button', {type: 'button', className: 'dq-button', hidden: true}, 'Show all questions')
const save = el('button', {type: 'button', className: 'dq-button'}, 'Download my answers'), message = el('p', {className: 'dq-small', role: 'status'})

function origin() {
  const runs = Object.entries(kit.runs), names = [...new Set(runs.map(([, r]) => r.model).filter(Boolean))]
  const by = names.length ? ` with the model ${names.join(', ')}` : '', versions = Object.entries(runs[0]?.[1].versions ?? {}).map(([n, v]) => `${n} ${v}`).join(', ')
  const rows = runs.map(([n, r]) => el('tr', {}, el('td', {}, n), el('td', {}, el('code', {}, `${r.probe}(${Object.entries(r.arguments).map(([k, v]) => `${k}=${Q.dumps(v)}`).join(', ')})`)), names.length ? el('td', {}, r.model ? `${r.model} #${r.weights.slice(0, 8)}` : '–') : ''))
  const head = el('thead', {}, el('tr', {}, ['name', 'measurement', ...(names.length ? ['model'] : [])].map(h => el('th', {scope: 'col'}, h))))
  return [el('p', {}, el('strong', {}, `Recorded values. `), runs.length ? `This page runs nothing. It marks by values that were recorded on ${kit.when}${by}. To have them measured on your own machine: ` : 'This page runs nothing, and nothing here needs a measurement. In a terminal: ', el('code', {}, `diffcourse quiz take ${kit.quiz}`), '.'),
          runs.length ? el('details', {}, el('summary', {}, `What was measured: ${runs.length} run${runs.length > 1 ? 's' : ''}`), el('div', {className: 'dq-table', tabIndex: 0, role: 'group', 'aria-label': 'Runs'}, el('table', {}, head, el('tbody', {}, rows))), el('p', {className: 'dq-small'}, versions)) : '']
}

function refresh() {
  const known = events(), p = Q.progress(kit, known), best = Q.best(known), rest = kit.questions.filter(q => q.live).length
  bar.max = p.out_of || 1; bar.value = p.score; score.textContent = `${Q.progress_text(p)}${rest ? `; ${rest} more need${rest > 1 ? '' : 's'} the live model` : ''}`
  warn.replaceChildren(...(lasting ? ['Answers are kept in this browser and go nowhere else. To add the file to your progress on this machine: ', el('code', {}, `diffcourse quiz progress --load ${kit.quiz}.jsonl`)] : ['This browser keeps nothing for this page: download your answers before you close it.']))
  cards.forEach(c => c.mark(best[c.q.id]))
}

function only(wanted) {
  cards.forEach(c => { const box = c.form.closest('section') ?? c.form; box.hidden = wanted !== null && !wanted.includes(c) })
  retry.hidden = wanted !== null; all.hidden = wanted === null
}

retry.addEventListener('click', () => {
  const best = Q.best(events()), wrong = cards.filter(c => c.q.id in best && best[c.q.id] < 1 && !Q.KINDS[c.q.kind]?.locks)
  if (!wrong.length) return message.textContent = 'Nothing is wrong so far.'
  wrong.forEach(c => c.clear()); only(wrong); message.textContent = `${wrong.length} question${wrong.length > 1 ? 's' : ''} to try again.`
  wrong[0].form.querySelector('input, select, textarea, button').focus()
})
all.addEventListener('click', () => { only(null); message.textContent = 'All questions are shown.'; retry.focus() })
save.addEventListener('click', () => { download(); message.textContent = `Saved as ${kit.quiz}.jsonl.` })

const cards = kit.questions.map((q, i) => card(q, places[i]))
top.replaceChildren(...origin(), el('div', {className: 'dq-progress'}, bar, score), el('div', {className: 'dq-buttons'}, retry, all, save), message, warn)
top.hidden = false
cards.forEach(c => c.restore()); refresh()
addEventListener('storage', e => { if (e.key === KEY) refresh() })                    // another tab has answered
})()
