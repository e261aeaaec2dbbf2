/**
 * Light, dark, or as the system has it, by the switch on top; and the colours as they are just now, for the canvases.
 *
 * These scripts are put into the page as they are, one after the other, as one script: plain JavaScript whose types
 * are checked.
 */
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** @param {() => void} onChange the colours are others now */
function watchTheme(onChange) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const choices = document.querySelectorAll('input[name="theme"]');
  for (const choice of choices) {
    choice.checked = choice.value === document.documentElement.dataset['theme'];
    choice.addEventListener('change', () => {
      document.documentElement.dataset['theme'] = choice.value;
      onChange();
    });
  }
  systemIsDark.addEventListener('change', onChange);
}

/**
 * A canvas knows no variables of a style sheet: an element that wears the colour tells what it comes to.
 *
 * @param {string} name of a variable in `page.css`
 * @param {number} [percent] how much of it, the rest being transparent
 * @returns {string}
 */
function ink(name, percent = 100) {
  const probe = document.createElement('i');
  probe.style.color = `color-mix(in srgb, var(--${name}) ${percent}%, transparent)`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
