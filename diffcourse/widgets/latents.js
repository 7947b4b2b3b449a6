// The latents viewer: a picture, its latents, and what becomes of it when they are changed.
// On a page without a kernel, `model.recorded` holds frames of the first picture with one channel moved.

const TEXTS = {
  pull: 'add to the whole channel',
  poke: 'add to the chosen number',
  noise: 'noise on all numbers',
  scale: 'multiply all numbers by',
};
const SLIDERS = {
  pull: [-3, 3, 0.25, 0], poke: [-5, 5, 0.5, 0], noise: [0, 1, 0.05, 0], scale: [0.2, 4, 0.1, 1],
};

function make(tag, attributes = {}, children = []) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function paint(canvas, channel, cell) {
  const h = channel.length, w = channel[0].length;
  canvas.width = w; canvas.height = h;
  const context = canvas.getContext('2d'), image = context.createImageData(w, h);
  channel.flat().forEach((v, i) => {
    const grey = Math.max(0, Math.min(255, 127.5 + 51 * v));
    image.data.set([grey, grey, grey, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  if (cell) { context.fillStyle = '#e33'; context.fillRect(cell[1], cell[0], 1, 1); }
}

function drawing_board(palette, done) {
  const board = make('canvas', { width: 128, height: 128, class: 'dc-board', 'aria-label': 'Draw here with the mouse' });
  const context = board.getContext('2d');
  const choice = (name) => make('select', { 'aria-label': name }, Object.keys(palette).map((c) => make('option', { text: c })));
  const ink = choice('ink'), paper = choice('paper'), clear = make('button', { type: 'button', text: 'clear' });
  paper.selectedIndex = Math.min(4, Object.keys(palette).length - 1);
  const colour = (select) => `rgb(${palette[select.value].join(',')})`;
  const wipe = () => { context.fillStyle = colour(paper); context.fillRect(0, 0, 128, 128); };
  let last = null;
  const at = (e) => { const r = board.getBoundingClientRect(); return [(e.clientX - r.left) * 128 / r.width, (e.clientY - r.top) * 128 / r.height]; };
  const stroke = (e) => {
    const [x, y] = at(e);
    Object.assign(context, { strokeStyle: colour(ink), lineWidth: 14, lineCap: 'round' });
    context.beginPath(); context.moveTo(...(last || [x, y])); context.lineTo(x, y); context.stroke();
    last = [x, y];
  };
  board.addEventListener('pointerdown', (e) => { board.setPointerCapture(e.pointerId); stroke(e); });
  board.addEventListener('pointermove', (e) => { if (last) stroke(e); });
  board.addEventListener('pointerup', () => { last = null; done(board.toDataURL()); });
  for (const node of [clear, paper]) node.addEventListener(node === clear ? 'click' : 'change', () => { wipe(); done(board.toDataURL()); });
  wipe();
  return make('div', { class: 'dc-own' }, [board, make('label', { text: 'ink ' }, [ink]), make('label', { text: 'paper ' }, [paper]), clear]);
}

function render({ model, el }) {
  const recorded = model.get('recorded') || null;   // only on a page without a kernel
  const state = { picture: 0, channel: 0, cell: null, pull: 0, poke: 0, noise: 0, scale: 1 };
  const status = make('p', { role: 'status' }), decoded = make('img', { class: 'dc-decoded', alt: 'The decoded picture' });
  const canvases = [], inputs = {};

  function send() {
    if (recorded) {
      const frame = recorded[`${state.channel} ${state.pull}`];
      if (frame) decoded.src = frame;
      status.textContent = frame ? `Channel ${state.channel} moved by ${state.pull} (recorded)` : 'Not recorded: run the notebook to see this.';
    } else {
      model.set('ask', { ...state });
      model.save_changes();
    }
    show_channels();
  }
  function show_channels() {
    const answer = model.get('answer');
    (answer.channels || []).forEach((values, c) => {
      canvases[c].setAttribute('aria-pressed', c === state.channel);
      paint(canvases[c], values, c === state.channel ? state.cell : null);
    });
  }
  function show() {
    const answer = model.get('answer');
    if (answer.decoded) decoded.src = answer.decoded;
    status.textContent = answer.note || '';
    show_channels();
  }

  const pictures = model.get('examples').map((example, i) => {
    const button = make('button', { type: 'button', title: example.name }, [make('img', { src: example.src, alt: example.name, width: 48 })]);
    button.addEventListener('click', () => { state.picture = i; send(); });
    if (recorded && i) button.disabled = true;
    return button;
  });
  const first = make('div', { class: 'dc-pick', role: 'group', 'aria-label': 'Picture' }, pictures);
  if (!recorded) {
    const upload = make('input', { type: 'file', accept: 'image/*', 'aria-label': 'Use a picture of your own' });
    upload.addEventListener('change', () => {
      const reader = new FileReader();
      reader.addEventListener('load', () => { state.picture = reader.result; send(); });
      if (upload.files[0]) reader.readAsDataURL(upload.files[0]);
    });
    first.append(upload, drawing_board(model.get('palette'), (url) => { state.picture = url; send(); }));
  }

  const channels = make('div', { class: 'dc-channels', role: 'group', 'aria-label': 'Channels' });
  for (let c = 0; c < model.get('answer').channels.length; c += 1) {
    const canvas = make('canvas', { tabindex: 0, role: 'button', 'aria-label': `Channel ${c}; arrow keys choose a number` });
    canvas.addEventListener('click', (e) => {
      const r = canvas.getBoundingClientRect();
      state.channel = c;
      state.cell = [Math.floor((e.clientY - r.top) * canvas.height / r.height), Math.floor((e.clientX - r.left) * canvas.width / r.width)];
      send();
    });
    canvas.addEventListener('keydown', (e) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [0, 0], ' ': [0, 0] }[e.key];
      if (!step) return;
      e.preventDefault();
      const [row, col] = state.cell || [canvas.height >> 1, canvas.width >> 1];
      state.channel = c;
      state.cell = [Math.max(0, Math.min(canvas.height - 1, row + step[0])), Math.max(0, Math.min(canvas.width - 1, col + step[1]))];
      send();
    });
    canvases.push(canvas);
    channels.append(make('figure', {}, [canvas, make('figcaption', { text: `channel ${c}` })]));
  }

  const sliders = make('div', { class: 'dc-sliders' });
  for (const [name, [min, max, step, value]] of Object.entries(SLIDERS)) {
    const input = make('input', { type: 'range', min, max, step, value }), shown = make('output', { text: value });
    if (recorded && name !== 'pull') continue;
    if (recorded) Object.assign(input, { min: -2, max: 2, step: 1 });
    input.addEventListener('input', () => { state[name] = Number(input.value); shown.textContent = input.value; send(); });
    inputs[name] = input;
    sliders.append(make('label', {}, [make('span', { text: TEXTS[name] }), input, shown]));
  }
  const reset = make('button', { type: 'button', text: 'reset' });
  reset.addEventListener('click', () => {
    for (const [name, input] of Object.entries(inputs)) {
      input.value = SLIDERS[name][3];
      input.nextSibling.textContent = SLIDERS[name][3];
      state[name] = SLIDERS[name][3];
    }
    state.cell = null;
    send();
  });
  sliders.append(reset);

  const box = make('div', { class: 'dc-latents' }, [first, channels, make('div', { class: 'dc-below' }, [decoded, sliders]), status]);
  // JupyterLab has shortcuts on the arrow keys; inside the view they belong to the view
  box.addEventListener('keydown', (e) => e.stopPropagation());
  el.append(box);
  show();
  if (!recorded) model.on('change:answer', show);
}

export default { render };
