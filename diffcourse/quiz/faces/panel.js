/* What widgets have no place for, added to whatever card appears: names and roles for screen readers, a live region that is
   there before something is said in it. Also: Enter in a line presses Check, and JupyterLab's one-letter shortcuts stay out. */

(() => {
  if (window.dcDressed) return;
  window.dcDressed = true;

  let count = 0;
  const idOf = element => element.id || (element.id = 'dc-' + ++count);
  const all = (element, selector) => [...element.querySelectorAll(selector)];
  const set = (element, attributes) => {
    for (const [name, value] of Object.entries(attributes))
      if (element.getAttribute(name) !== value) element.setAttribute(name, value);   // else the observer never rests
  };

  const FIELDS = 'input, select, textarea, button, summary';
  const PARTS = '.widget-checkbox, .widget-text, .widget-dropdown, .widget-radio';
  const TYPED = '.dc-input :is(input:not([type=radio]):not([type=checkbox]), select, textarea)';

  function announce(place) {
    set(place, {role: 'status', 'aria-live': 'polite'});
    all(place, '[role=status]').forEach(inner => {
      inner.removeAttribute('role');
      inner.removeAttribute('aria-live');
    });
  }

  function dressCard(card) {
    const head = card.querySelector('h4'), prompt = card.querySelector('.dc-prompt');
    const input = card.querySelector('.dc-input');
    if (!head || !prompt || !input) return;
    const named = {'aria-labelledby': idOf(prompt)};
    set(card, {role: 'group', 'aria-labelledby': idOf(head)});
    all(input, '.widget-radio').forEach(radio => set(radio, {role: 'radiogroup', ...named}));
    if (input.matches('.widget-radio')) set(input, {role: 'radiogroup', ...named});
    else if (input.querySelector(PARTS)) set(input, {role: 'group', ...named});
    all(input, 'input[type=radio]').forEach(radio => set(radio, {name: idOf(input)}));
    all(card, TYPED).forEach(field => set(field, {'aria-describedby': idOf(prompt)}));
  }

  function dress() {
    soon = 0;
    all(document, '.dc-quiz').forEach(quiz => {
      all(quiz, '.dc-says').forEach(announce);
      all(quiz, FIELDS).forEach(field => set(field, {'data-lm-suppress-shortcuts': 'true'}));
    });
    all(document, '.dc-card').forEach(dressCard);
  }

  let soon = 0;
  const changed = () => { soon = soon || setTimeout(dress, 50) };
  new MutationObserver(changed).observe(document.body, {childList: true, subtree: true});
  dress();

  document.addEventListener('keydown', event => {
    if (event.key != 'Enter' || !event.target.matches('.dc-input input[type=text]')) return;
    event.target.dispatchEvent(new Event('change', {bubbles: true}));
    event.target.closest('.dc-card').querySelector('.dc-check').click();
  }, true);
})()
