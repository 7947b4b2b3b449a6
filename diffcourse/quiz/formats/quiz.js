// Reading and marking answers without a kernel: the same rules as diffcourse.quiz.ground and diffcourse.quiz.kinds in Python, on a kit (diffcourse.quiz.formats.kit).
// tests/test_quiz_kit.py runs both on the same vectors; whoever changes one changes the other. Works as a classic script in a page and with `require` in node.
(root => {
'use strict'

class Unreadable extends Error {}                                    // an answer that can't be read; the message says how to write it
class Broken extends Error {}                                        // our fault
const no = text => { throw new Unreadable(text) }
const broken = text => { throw new Broken(text) }

// ---------------------------------------------------------------- texts, as Python sees them

const WS = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'      // what Python counts as white space; JavaScript's \s differs
const re = (source, flags = 'u') => new RegExp(source.replaceAll('␣', `[${WS}]`), flags)
const ENDS = re('^␣+|␣+$', 'gu'), STARTS_LINE = /[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/
const strip = s => s.replace(ENDS, '')
const words = s => strip(s).split(re('␣+')).filter(Boolean)
const first = (s, n) => Array.from(s).slice(0, n).join('')
const length = s => Array.from(s).length
const one_line = s => s.split(STARTS_LINE).find(strip) ?? 'Error'
const is_text = x => typeof x === 'string'
const is_number = x => typeof x === 'number'
const is_whole = x => Number.isInteger(x)
const is_list = Array.isArray
const is_named = x => x instanceof Map || x !== null && typeof x === 'object' && !is_list(x)
const nothing = x => x === null || x === undefined

// ---------------------------------------------------------------- numbers, as Python writes them

// A double as a whole number over a power of ten: exact, since a binary fraction always ends.
function exact(x) {
  const view = new DataView(new ArrayBuffer(8)); view.setFloat64(0, x)
  const bits = view.getBigUint64(0); let e = Number(bits >> 52n & 2047n), m = bits & (1n << 52n) - 1n
  if (e) m |= 1n << 52n; else e = 1
  e -= 1075
  return e >= 0 ? [m << BigInt(e), 0] : [m * 5n ** BigInt(-e), -e]
}

// n / 10**k to the nearest whole number, the even one of two.
function rounded(n, k) {
  if (k <= 0) return n * 10n ** BigInt(-k)
  const d = 10n ** BigInt(k), q = n / d, twice = n % d * 2n
  return twice > d || twice === d && q & 1n ? q + 1n : q
}

function fixed(x, digits) {                                           // x ≥ 0; like %.2f
  const [n, scale] = exact(x), s = rounded(n, scale - digits).toString().padStart(digits + 1, '0')
  return digits ? `${s.slice(0, -digits)}.${s.slice(-digits)}` : s
}

function leading(x, digits) {                                         // so many digits and the power of ten of the first
  if (x === 0) return ['0'.repeat(digits), 0]
  const [n, scale] = exact(x), many = n.toString().length; let e = many - 1 - scale, s = rounded(n, many - digits).toString()
  if (s.length > digits) { s = s.slice(0, -1); e += 1 }
  return [s, e]
}

const power = e => `e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`
const no_zeros = s => s.includes('.') ? s.replace(/\.?0+$/, '') : s

function exponent(x, digits) {                                        // like %.2e
  const [s, e] = leading(x, digits + 1)
  return (digits ? `${s[0]}.${s.slice(1)}` : s) + power(e)
}

function general(x, digits, dot = false) {                            // like %.4g; `dot` as in a format without a letter
  digits = Math.max(digits, 1)
  const [s, e] = leading(x, digits)
  if (e < -4 || e >= digits - dot) return no_zeros(digits > 1 ? `${s[0]}.${s.slice(1)}` : s) + power(e)
  const out = no_zeros(fixed(x, Math.max(digits - 1 - e, 0)))
  return dot && !out.includes('.') ? `${out}.0` : out
}

function repr(x) {                                                    // the shortest text that reads back as the same float
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'NaN' : x > 0 ? 'Infinity' : '-Infinity'
  if (Object.is(x, -0)) return '-0.0'
  const [m, e] = x.toExponential().split('e')
  if (+e < -4 || +e >= 16) return m + power(+e)
  return String(x).includes('.') ? String(x) : `${x}.0`
}

const SPEC = /^([-+ ]?)(,?)(\d{0,2})(?:\.(\d{1,2}))?([deEfFgG%]?)$/

// format(x, spec) of Python, for floats and texts.
function format(x, spec) {
  const m = SPEC.exec(spec) ?? broken(`'${spec}' is no format`), [, sign, comma, width, dot, kind] = m, digits = dot === undefined ? 6 : +dot
  const cannot = () => broken(`${is_text(x) ? `'${x}'` : x} can't be shown as '${spec}'`)
  if (is_text(x)) return sign || comma || kind || width[0] === '0' ? cannot() : (dot === undefined ? x : first(x, digits)).padEnd(+width)
  if (!is_number(x) || kind === 'd') return cannot()
  const minus = x < 0 || Object.is(x, -0), a = Math.abs(x), k = kind.toLowerCase()
  let out = k === 'f' ? fixed(a, digits) : k === 'e' ? exponent(a, digits) : k === 'g' ? general(a, digits) : k === '%' ? `${fixed(a * 100, digits)}%` : dot === undefined ? repr(a) : general(a, digits, true)
  if (comma) out = out.replace(/^\d+/, n => n.replace(/\B(?=(\d{3})+$)/g, ','))
  if (kind === 'E' || kind === 'G') out = out.toUpperCase()
  const before = minus ? '-' : sign === '-' ? '' : sign
  return width[0] === '0' ? before + out.padStart(+width - before.length, '0') : (before + out).padStart(+width)
}

function show(x, spec = '') {                                         // a value in a text
  if (is_list(x)) return x.map(v => show(v, spec)).join(', ')
  if (is_named(x)) return spec ? broken(`this can't be shown as '${spec}'`) : [...named(x)].map(([k, v]) => `${k}: ${show(v)}`).join('; ')
  if (typeof x === 'boolean') return String(x)
  return format(x, spec || (is_number(x) ? '.4g' : ''))
}

// ---------------------------------------------------------------- JSON, as Python writes it

class Float { constructor(x) { this.x = x } }                         // JavaScript can't tell 1.0 from 1, Python does

const named = x => x instanceof Map ? x : new Map(Object.entries(x))

function dumps(x) {
  if (x instanceof Float) return repr(x.x)
  if (nothing(x)) return 'null'
  if (is_number(x)) return is_whole(x) && Math.abs(x) < 2 ** 53 && !Object.is(x, -0) ? String(x) : repr(x)
  if (is_list(x)) return `[${x.map(dumps).join(', ')}]`
  if (typeof x === 'object') return `{${[...named(x)].map(([k, v]) => `${JSON.stringify(k)}: ${dumps(v)}`).join(', ')}}`
  return JSON.stringify(x)
}

const float = x => is_number(x) ? new Float(x) : x

// A record (diffcourse.result/1) with its floats named, so that `dumps` gives the bytes of `Result.to_json`.
function typed(record) {
  const evidence = record.evidence.map(c => ({...c, interval: c.interval && c.interval.map(float)}))
  const inside = KINDS[record.kind]?.typed ?? float                   // what was read of an answer: floats, where its kind has some
  const given = nothing(record.score) ? record.given : inside(record.given)
  return {...record, score: float(record.score), weight: float(record.weight), given, evidence}
}

const record_json = record => dumps(typed(record))

// ---------------------------------------------------------------- reading answers

// An answer in a message: text in quotes, the rest as JSON.
const said = given => is_text(given) ? `'${first(words(given).join(' '), 40)}'` : nothing(given) ? 'nothing' : first(dumps(given), 40)

const SIGNS = new Map([...[...'−–‒﹣－'].map(c => [c, '-']), ['＋', '+'], ['∕', '/'], ['⁄', '/'], ['％', '%'], ['·', '*'], ['×', '*'], ...[...'\u00a0\u2009\u202f\u2007'].map(c => [c, ' '])])
const POWERS = '⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺', DEC = '[-+]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)', SP = '[ \\t\\n\\r\\f\\v]*'
const DECIMAL = new RegExp(`^(${DEC}(?:[eE][-+]?[0-9]{1,4})?)${SP}(%?)$`), FRACTION = new RegExp(`^(${DEC})${SP}/${SP}(${DEC})${SP}(%?)$`)
const TIMES_TEN = new RegExp(`^(${DEC})${SP}[*x]${SP}10${SP}(?:\\^|\\*\\*)?${SP}([-+]?[0-9]{1,4})${SP}(%?)$`)
const finite = (x, text) => Number.isFinite(x) ? x : no(`${said(text)} is not a finite number`)

// Decimal text as a whole number over a power of ten.
function decimal(text) {
  const [whole, part = ''] = text.replace(/^[-+]/, '').split('.'), n = BigInt(whole + part || '0')
  return [text[0] === '-' ? -n : n, part.length]
}

// The double nearest to a/b: so many bits that the last of them only says whether something was left.
function quotient(a, b) {
  const [n, i] = decimal(a), [m, j] = decimal(b), top = (n < 0n ? -n : n) * 10n ** BigInt(j), below = (m < 0n ? -m : m) * 10n ** BigInt(i)
  const k = Math.max(0, 66 + below.toString(2).length - top.toString(2).length), up = top << BigInt(k), q = up / below << 1n | (up % below ? 1n : 0n)
  return Number(q) * 2 ** -(k + 1) * (n < 0n !== m < 0n && n ? -1 : 1)
}

function read_number(given, unit = '') {
  if (typeof given === 'boolean' || !is_number(given) && !is_text(given)) no(`expected a number, got ${said(given)}`)
  if (is_number(given)) return finite(given, String(given))
  const shown = first(strip(given), 40); let text = [...strip(given)].map(c => SIGNS.get(c) ?? c).join(''), m, value, percent
  if (unit && text.endsWith(unit)) text = text.slice(0, -unit.length).replace(re('␣+$'), '')
  if (!text) no('there is no answer yet; type a number, such as 0.5')
  if (length(text) > 60) no(`a number of ${length(text)} characters is too long`)
  if (text.includes(',')) no(`the comma in ${said(shown)} can mean two things; write 1500 or 1.5, without a comma`)
  const ten = text.replace(/10([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)/gu, (_, p) => '10^' + [...p].map(c => '0123456789-+'[POWERS.indexOf(c)]).join(''))
  if (m = DECIMAL.exec(text)) [value, percent] = [Number(m[1]), m[2]]
  else if (m = FRACTION.exec(text)) {
    if (!Number(m[2])) no(`${said(shown)} divides by zero`)
    value = quotient(m[1], m[2]); percent = m[3]
  } else if (m = TIMES_TEN.exec(ten)) [value, percent] = [Number(`${m[1]}e${m[2]}`), m[3]]
  else no(`${said(shown)} is not a number; write for example 0.5, 1/2, 50 % or 5e-1`)
  return finite(finite(value, shown) / (percent ? 100 : 1), shown)
}

function option(given, ids) {
  if (!is_text(given)) no(`expected the id of an option, got ${said(given)}`)
  given = strip(given)
  if (ids.includes(given)) return given
  const near = ids.find(i => i.toLowerCase() === given.toLowerCase())
  return no(`${said(given)} is not an option; ${near ? `did you mean ${near}?` : `there are ${ids.join(', ')}`}`)
}

const empty = x => nothing(x) || x === '' || is_list(x) && !x.length

function read_choice(given, ids) {
  if (empty(given)) no('nothing is chosen yet')
  return option(is_list(given) && given.length === 1 ? given[0] : given, ids)
}

function read_choices(given, ids) {
  if (is_text(given)) given = given.split(',').filter(strip)
  if (empty(given)) no('nothing is chosen yet')
  if (!is_list(given)) no(`expected a list of options, got ${said(given)}`)
  const chosen = given.map(g => option(g, ids))
  return ids.filter(i => chosen.includes(i))
}

function read_order(given, ids) {
  if (is_text(given)) given = given.split(re('[␣,;>]+'.replace('␣', WS))).filter(Boolean)
  if (empty(given)) no('nothing is put in order yet')
  if (!is_list(given)) no(`expected a list, got ${said(given)}`)
  const out = given.map(g => option(g, ids)), twice = out.find((g, i) => out.indexOf(g) !== out.lastIndexOf(g)), missing = ids.filter(i => !out.includes(i))
  if (twice !== undefined) no(`${twice} is there twice`)
  if (missing.length) no(`${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`)
  return out
}

const blank = x => nothing(x) || is_text(x) && !strip(x)

// Name → what was given for it, not yet looked into; a Map keeps the order of `names`.
function read_named(given, names) {
  if (is_text(given)) {
    const parts = given.split(/[;\n]/).filter(strip), all = parts.length && parts.every(p => p.includes('=')), out = new Map()
    for (const p of all ? parts : []) {
      const at = p.indexOf('='), key = strip(p.slice(0, at))
      if (out.has(key)) no(`${first(key, 40)} is there twice`)
      out.set(key, strip(p.slice(at + 1)))
    }
    given = all ? out : parts
  }
  if (nothing(given) || is_list(given) && !given.length || is_named(given) && !named(given).size) no('there is no answer yet')
  if (is_list(given)) {
    if (given.length !== names.length) no(`expected ${names.length} parts (${names.join(', ')}), got ${given.length}`)
    given = new Map(names.map((n, i) => [n, given[i]]))
  }
  if (!is_named(given)) no(`expected a value for each of ${names.join(', ')}, got ${said(given)}`)
  const out = new Map([...named(given)].map(([k, v]) => [option(k, names), v])), missing = names.filter(n => blank(out.get(n)))
  if (missing.length) no(`${missing.join(', ')} is still empty`)
  return new Map(names.map(n => [n, out.get(n)]))
}

const SHAPE = re('^(?:(?:torch\\.)?Size|shape)?␣*[:=]?␣*(\\(?␣*\\[(.*)\\]␣*\\)?|\\((.*)\\)|([^()\\[\\]]*))$', 'su')

function read_shape(given) {
  if (is_whole(given)) given = [given]
  if (is_text(given)) {
    const text = strip(given.normalize('NFKC')), m = SHAPE.exec(text)
    if (!text) no('there is no answer yet; type a shape, such as 1, 4, 16, 16')
    const inner = m && strip(strip(m.slice(2).find(g => g !== undefined)).replace(/,+$/, '')), parts = inner ? inner.split(re('␣*[,x×*;]␣*|␣+')) : []
    if (!m || length(text) > 100 || !parts.every(p => /^[0-9]{1,9}$/.test(p)) || !inner && !')]'.includes(text.slice(-1))) no(`${said(text)} is not a shape; write for example 1, 4, 16, 16`)
    given = parts.map(Number)
  }
  if (!is_list(given)) no(`expected a shape, got ${said(given)}`)
  if (given.length > 10) no(`a shape of ${given.length} axes is too long`)
  for (const n of given) if (!is_whole(n) || n < 0 || n >= 1e9) no(`${said(n)} is not the length of an axis; those are whole numbers`)
  return given
}

const EDGE = ' .,;:!?"\'`“”„«»()', EDGES = new RegExp(`^[${EDGE}]+|[${EDGE}]+$`, 'gu')

// A text without what makes no difference, for comparison only.
function normal(text) {
  text = text.normalize('NFKC').toLowerCase().replace(/[\u00ad\u200b-\u200f\u2060\ufeff]/gu, '').replace(/[’‘]/gu, "'")
  return text.replace(/[ \t\n\r\f\v_\-‐‑‒–—−]+/gu, ' ').replace(EDGES, '').replace(/^(a|an|the) (?=[^\n])/u, '').replace(EDGES, '')
}

function read_text(given, most = 4000) {
  if (is_number(given) && Math.abs(given) < 1e15) given = is_whole(given) ? String(given) : (given < 0 ? '-' : '') + general(Math.abs(given), 12)
  if (nothing(given)) no('there is no answer yet')
  if (!is_text(given)) no(`expected words, got ${said(given)}`)
  if (!normal(given)) no('there is no answer yet')
  if (length(given) > most) no(`${fmt_count(length(given))} characters are too many; at most ${fmt_count(most)}`)
  return strip(given)
}

const fmt_count = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

// ---------------------------------------------------------------- chance: FNV-1a and mulberry32

function hash32(text) {
  let h = 2166136261
  for (const b of new TextEncoder().encode(text)) h = Math.imul(h ^ b, 16777619)
  return h >>> 0
}

function* draws(key) {
  let a = hash32(key)
  for (;;) {
    a = a + 0x6D2B79F5 | 0
    let t = Math.imul(a ^ a >>> 15, a | 1)
    t = t + Math.imul(t ^ t >>> 7, t | 61) ^ t
    yield (t ^ t >>> 14) >>> 0
  }
}

const scaled = (draw, n) => Number(BigInt(draw) * BigInt(n) >> 32n)

const whole_between = (key, low, high) => low + scaled(draws(key).next().value, high - low + 1)

function shuffled(key, items) {
  const out = [...items], source = draws(key)
  for (let i = out.length - 1; i > 0; i--) {
    const j = scaled(source.next().value, i + 1); [out[i], out[j]] = [out[j], out[i]]
  }
  return out
}

// What there is to choose from, in the order in which every face shows it.
function shown_order(kit, question) {
  const things = question.options ?? question.items ?? question.partners ?? []
  return question.shuffle ? shuffled(`${kit.quiz}/${question.id}/${kit.variant}`, things) : things
}

// ---------------------------------------------------------------- marks: one function for each kind

// A marker reads the answer (or throws Unreadable) and gives {score, given, tag, feedback, got}: what was read, and what each claim of the kit has got.

const within = ([low, high], x) => low <= x && x <= high
const find = (text, texts) => texts.some(t => normal(t) === normal(text))
const ids_of = things => things.map(t => t.id)
const joined = texts => texts.filter(Boolean).join(' ')
const tuple = xs => `(${xs.join(', ')}${xs.length === 1 ? ',' : ''})`
const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i])
const six = x => (x < 0 || Object.is(x, -0) ? '-' : '') + general(Math.abs(x), 6)
const by_rule = rule => ({tag: rule?.tag ?? '', feedback: rule?.feedback ?? ''})

function mark_numeric(q, given) {
  const x = read_number(given, q.unit), right = within(q.claims[0].interval, x)
  const rule = right ? null : q.wrong.find(w => within(w.interval, x))
  return {score: +right, given: x, ...by_rule(rule), got: [six(x)]}
}

function mark_single(q, given) {
  const id = read_choice(given, ids_of(q.options)), chosen = q.options.find(o => o.id === id)
  return {score: +chosen.right, given: id, tag: chosen.right ? '' : chosen.tag, feedback: chosen.feedback, got: [id]}
}

function mark_multiple(q, given) {
  const chosen = read_choices(given, ids_of(q.options)), taken = q.options.filter(o => chosen.includes(o.id))
  const right = q.options.filter(o => o.right).length, wrong = taken.filter(o => !o.right), good = taken.length - wrong.length
  const says = wrong.map(o => o.feedback)
  if (good < right) says.push(`${right - good} more would have been right.`)
  const score = Math.max(0, (good - wrong.length) / right), tag = wrong.find(o => o.tag)?.tag ?? ''
  return {score, given: chosen, tag, feedback: joined(says), got: [chosen.join(', ')]}
}

const mark_predict = (q, given) => (q.options ? mark_single : mark_numeric)(q, given)

function shape_slip(x, a, names) {
  const axes = n => `${n} ax${n > 1 ? 'e' : 'i'}s`, named = names.length ? ` They are: ${names.join(', ')}.` : ''
  const long = xs => xs.filter(n => n !== 1), sorted = xs => [...xs].sort((p, r) => p - r)
  if (x.length !== a.length) {
    const hint = equal(long(x), long(a)) ? ' All others are right: look at those of length 1, such as the batch.' : named
    return {tag: 'rank', feedback: `You gave ${axes(x.length)}, the tensor has ${a.length}.${hint}`}
  }
  if (equal(sorted(x), sorted(a))) return {tag: 'axis-order', feedback: `The lengths are right, their order is not.${named}`}
  const n = x.filter((p, i) => p === a[i]).length
  return {tag: '', feedback: `${n} of ${axes(a.length)} ${n === 1 ? 'is' : 'are'} right.`}
}

function mark_shape(q, given) {
  const x = read_shape(given), right = equal(x, q.right)
  const rule = right ? null : q.wrong.find(w => equal(w.near, x))
  const says = right || rule ? by_rule(rule) : shape_slip(x, q.right, q.axes)
  return {score: +right, given: x, ...says, got: [tuple(x)], told: tuple(x)}
}

function mark_short(q, given) {
  const x = read_text(given, 200), right = find(x, q.texts)
  const rule = right ? null : q.wrong.find(w => find(x, w.near))
  return {score: +right, given: x, ...by_rule(rule), got: [x]}
}

function named_error(name, read) {
  try { return read() } catch (e) { throw e instanceof Unreadable ? new Unreadable(`${name}: ${e.message}`) : e }
}

function read_gap(gap, given) {
  if (gap.form === 'number') return read_number(given, gap.unit)
  const x = read_text(given, 200)
  if (gap.options.length && !find(x, gap.options)) no(`${said(x)} is not an option; there are ${gap.options.join(', ')}`)
  return x
}

function mark_gap(gap, claim, x) {
  const number = gap.form === 'number', right = number ? within(claim.interval, x) : find(x, gap.texts)
  const knows = w => number ? within(w.interval, x) : find(x, w.near)
  return {x, right, rule: right ? null : gap.wrong.find(knows), got: number ? six(x) : x}
}

function mark_cloze(q, given) {
  const read = new Map([...read_named(given, q.names)].map(([n, g]) => [n, named_error(n, () => read_gap(q.gaps[n], g))]))
  const done = new Map(q.names.map((n, i) => [n, mark_gap(q.gaps[n], q.claims[i], read.get(n))]))
  const wrong = q.names.filter(n => !done.get(n).right), rules = wrong.map(n => done.get(n).rule)
  const says = wrong.map((n, i) => [n, rules[i]?.feedback ?? q.gaps[n].feedback]).filter(([, text]) => text).map(([n, text]) => `${n}: ${text}`)
  const feedback = says.join(' ') || (wrong.length ? `Not right yet: ${wrong.join(', ')}.` : '')
  return {score: (q.names.length - wrong.length) / q.names.length, given: read, tag: rules.find(Boolean)?.tag ?? '', feedback, got: q.names.map(n => done.get(n).got)}
}

function mark_match(q, given) {
  const left = ids_of(q.left), partners = ids_of(q.partners)
  const chosen = new Map([...read_named(given, left)].map(([n, to]) => [n, named_error(n, () => read_choice(to, partners))]))
  const wrong = q.left.filter(i => chosen.get(i.id) !== q.right[i.id])
  const feedback = joined(wrong.map(i => i.feedback)) || (wrong.length ? `Not right yet: ${ids_of(wrong).join(', ')}.` : '')
  return {score: (left.length - wrong.length) / left.length, given: chosen, tag: '', feedback, got: left.map(n => chosen.get(n))}
}

// The things of a longest common subsequence, by the usual table.
function common(a, b) {
  const best = Array.from({length: a.length + 1}, () => Array(b.length + 1).fill([]))
  a.forEach((x, i) => b.forEach((y, j) => {
    const [up, left] = [best[i][j + 1], best[i + 1][j]]
    best[i + 1][j + 1] = x === y ? [...best[i][j], x] : left.length > up.length ? left : up
  }))
  return best[a.length][b.length]
}

function mark_order(q, given) {
  const order = read_order(given, ids_of(q.items)), stay = common(order, q.right), out = q.items.filter(i => !stay.includes(i.id))
  const counted = `${stay.length} of ${q.right.length} are in the right order relative to each other.`
  const feedback = joined(out.map(i => i.feedback)) || (out.length ? counted : '')
  return {score: (stay.length - 1) / (q.right.length - 1), given: order, tag: '', feedback, got: [order.join(', ')]}
}

const COMPARE = 'Words are not marked here: compare with the model answer, then say yourself how near yours came.'
const mark_words = (q, given, feedback) => ({score: null, given: read_text(given), tag: '', feedback, got: []})

// ---------------------------------------------------------------- solutions: the right answer in words

function number_solution(q, name) {
  const interval = q.claims[0]?.interval
  if (!is_number(q.right) || !interval) return name(q.right)
  return `${six(q.right)}${q.unit ? ` ${q.unit}` : ''} (accepted: ${interval.map(six).join(' to ')})`
}

const parts_solution = (q, names, name) => names.map(n => `${name(n)}: ${name(q.right[n])}`).join('; ')

// ---------------------------------------------------------------- the kinds

// One entry a kind, the twin of its module in diffcourse.quiz.kinds. Nothing else here, and nothing in quiz.page.js, names a kind.
//   mark(q, given)    the mark
//   input(q, page)    how the page asks: {nodes, read() → answer, put(answer)}, made of the forms of quiz.page.js
//   solution(q, name) the right answer in words, where it is more than name(q.right); `name` turns ids into texts
//   typed(given)      what was read, with its floats named, where they lie inside of it
//   scored: false     there is never a score        locks: true     the first answer counts
//   compared: true    shown beside a model answer
// A kind that has no entry, or a kit that says `live`, can't be marked on a page.
const EXAMPLE = 'e.g. 0.5, 1/2, 50 %'
const unit = q => q.unit ? ` (${q.unit})` : ''
const one_of = {mark: mark_single, input: (q, page) => page.choice(q)}
const KINDS = {
  single: one_of,
  image: one_of,
  multiple: {mark: mark_multiple, input: (q, page) => page.choice(q, true)},
  numeric: {mark: mark_numeric, input: (q, page) => page.line(`Number${unit(q)}`, EXAMPLE), solution: number_solution},
  predict: {mark: mark_predict, input: (q, page) => q.options ? page.choice(q) : page.line(`Your prediction${unit(q)}`, EXAMPLE), solution: number_solution, locks: true},
  shape: {mark: mark_shape, input: (q, page) => page.line('Shape', 'e.g. 1, 4, 16, 16'), solution: q => tuple(q.right)},
  short: {mark: mark_short, input: (q, page) => page.line('Answer')},
  cloze: {mark: mark_cloze, input: (q, page) => page.gaps(q), solution: (q, name) => parts_solution(q, q.names, name),
          typed: given => new Map([...named(given)].map(([n, x]) => [n, float(x)]))},
  match: {mark: mark_match, input: (q, page) => page.pairs(q), solution: (q, name) => parts_solution(q, ids_of(q.left), name)},
  order: {mark: mark_order, input: (q, page) => page.ranks(q)},
  free: {mark: (q, given) => mark_words(q, given, COMPARE), input: (q, page) => page.area(), scored: false, compared: true},
  reflect: {mark: (q, given) => mark_words(q, given, q.feedback), input: (q, page) => page.area(), solution: q => q.right || 'There is no right answer.', scored: false},
}
const has_score = question => !question.live && KINDS[question.kind]?.scored !== false

function walk(value, path) {
  for (const p of path) {
    value = is_list(value) && /^\d+$/.test(p) ? value[+p] : value instanceof Map ? value.get(p) : undefined
    if (value === undefined) broken(`given has no '${p}'`)
  }
  return value
}

// Texts of the kit in which [path, format] stands for a part of the given answer.
const fill = (parts, given) => parts.map(p => is_text(p) ? p : show(walk(given, p[0]), p[1])).join('')

// An answer as plain data, whatever it is.
function plain(given, deep = 4) {
  if (is_text(given)) return first(given, 20000).replace(/[\ud800-\udfff]/gu, '?')
  if (nothing(given) || is_number(given) || typeof given === 'boolean') return given ?? null
  if (is_list(given)) return given.length <= 100 && deep ? given.map(g => plain(g, deep - 1)) : 'list'
  return named(given).size <= 100 && deep ? Object.fromEntries([...named(given)].map(([k, v]) => [first(k, 100), plain(v, deep - 1)])) : 'dict'
}

// Mark an answer, anything at all: a record as `diffcourse.quiz.core.grade.grade` gives it. Never throws.
function grade(kit, question, given) {
  const record = (more = {}) => ({version: 'diffcourse.result/1', quiz: kit.quiz, question: question.id, kind: question.kind, variant: kit.variant, state: 'fault', score: null,
                                  weight: question.weight, given: plain(given), tag: '', feedback: '', explain: '', evidence: [], ...more})
  if (question.live) return record({state: 'ungraded', feedback: `This question can't be marked here: it needs the live model; run ${question.live}`})
  try {
    const kind = KINDS[question.kind] ?? broken(`no kind is called '${question.kind}'`), mark = kind.mark(question, given)
    const state = !has_score(question) ? 'review' : mark.score === 1 ? 'correct' : mark.score ? 'partial' : 'incorrect'
    const evidence = question.claims.map((c, i) => ({claim: c.claim, expected: c.expected, got: mark.got[i], interval: c.interval ?? null, source: c.source}))
    return record({state, score: mark.score, given: plain(mark.given), tag: mark.tag, feedback: mark.feedback, explain: fill(question.explain, mark.told ?? mark.given), evidence})
  } catch (e) {
    if (e instanceof Unreadable) return record({state: 'invalid', feedback: one_line(e.message)})
    return record({feedback: `This is our mistake, not yours: ${one_line(e.message)}`})
  }
}

// The right answer in words.
function solution(kit, question) {
  const things = ['options', 'items', 'left', 'partners'].flatMap(side => question[side] ?? [])
  const texts = new Map(things.map(i => [i.id, i.text])), name = x => is_text(x) ? texts.get(x) ?? x : show(x)
  const own = KINDS[question.kind].solution
  if (own) return own(question, name)
  return is_list(question.right) ? question.right.map(name).join('; ') : name(question.right)
}

// ---------------------------------------------------------------- events and what they add up to

const SCHEMA = 'diffcourse.event/1'

function uuid() {
  if (root.crypto?.randomUUID) return root.crypto.randomUUID()                        // only where a page came by a safe way
  const b = root.crypto.getRandomValues(new Uint8Array(16)); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128
  return [...b].map(x => x.toString(16).padStart(2, '0')).join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function event(kit, question, what, data, state = null, score = null) {
  return {schema: SCHEMA, uuid: uuid(), time: Date.now() / 1000, quiz: kit.quiz, question, variant: kit.variant, what, state, score, data, of: null}
}

// One line of a JSONL file, as `diffcourse.quiz.core.store.write_events` writes it.
const event_line = e => dumps({...e, time: new Float(e.time), score: nothing(e.score) ? null : new Float(e.score), data: e.what === 'answer' ? typed(e.data) : e.what === 'lock' && is_number(e.data.given) ? {given: new Float(e.data.given)} : e.data})

// Events of JSONL lines, each once; what isn't one is left out.
function read_lines(text) {
  const out = new Map()
  for (const line of text.split('\n').filter(strip)) {
    try { const e = JSON.parse(line); if (e?.schema === SCHEMA && is_text(e.uuid) && !out.has(e.uuid)) out.set(e.uuid, e) } catch { /* half a line of a full disk */ }
  }
  return [...out.values()]
}

// Best score of each question. It never falls.
function best(events) {
  const out = {}
  for (const e of events) if (!nothing(e.score)) out[e.question] = Math.max(out[e.question] ?? 0, e.score)
  return out
}

function progress(kit, events) {
  const top = best(events), can = kit.questions.filter(q => has_score(q) && q.weight), mine = can.filter(q => q.id in top)
  const points = mine.reduce((sum, q) => sum + top[q.id] * q.weight, 0)
  return {done: mine.filter(q => top[q.id] === 1).length, tried: mine.length, questions: can.length, score: Math.round(points * 1e6) / 1e6, out_of: can.reduce((sum, q) => sum + q.weight, 0)}
}

const progress_text = p => `${p.done} of ${p.questions} right, ${general(p.score, 6)} of ${general(p.out_of, 6)} points`

// A kit out of a page: all but the pictures is in base64.
function open_kit(text) {
  const kit = JSON.parse(text)
  if (!kit.sealed) return kit
  return {...JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(kit.sealed), c => c.charCodeAt(0)))), pictures: kit.pictures}
}

const api = {Unreadable, read_number, read_choice, read_choices, read_order, read_named, read_shape, read_text, normal, hash32, draws, whole_between, shuffled, shown_order, grade, solution, show, format, repr, dumps, record_json,
             event, event_line, read_lines, best, progress, progress_text, open_kit, KINDS, has_score, six, within, by_rule}
if (typeof module === 'object' && module.exports) module.exports = api
else root.DiffQuiz = api
})(globalThis)
